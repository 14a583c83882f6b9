/// Why a job ended as it did, and what to do next.
extension JobSituation {
    private var id: JobID { job.spec.id }

    var succeeded: JobExplanation {
        let reasons = [JobReason(.succeeded, "succeeded")] + [deadTasks].compactMap { $0 }
        return JobExplanation(
            job.state, reasons, next: deadCount > 0 ? ["job tasks \(id) --dead"] : [])
    }

    func stopped(by whom: String) -> JobExplanation {
        // `JobRecord.reasonForFollowers`: "job a, which failed".
        let cause = (job.spec.after ?? []).first { whom.hasPrefix("job \($0), which ") }
        guard let cause else {
            return JobExplanation(
                job.state, [JobReason(.stopped, "stopped by \(whom)", subject: whom)],
                next: ["job retry \(id)"])
        }
        let reason = JobReason(
            .after, "stopped because it comes after \(whom)", subject: cause.rawValue)
        return JobExplanation(job.state, [reason], next: ["job why \(cause)", "job retry \(id)"])
    }

    func failed(_ failure: TaskFailure) -> JobExplanation {
        var reasons = [end(of: failure)]
        if let word = lastWord(of: failure) { reasons[0].text += ", after it said: \(word)" }
        if let dead = deadTasks { reasons.append(dead) }
        var next = ["job logs \(id)"]
        if deadCount > 0 { next.append("job tasks \(id) --dead") }
        next.append("job retry \(id)")
        switch reasons[0].kind {
        case .outOfMemory: next.append("or submit it again with a larger --entrypoint-memory")
        case .deadline: next.append("or submit it again with a larger --timeout")
        default: break
        }
        return JobExplanation(job.state, reasons, next: next)
    }

    private func end(of failure: TaskFailure) -> JobReason {
        let message = failure.message.firstLine.withoutWorkerNumbers
        switch failure.kind {
        case .deadline: return JobReason(.deadline, message)
        case .lost:
            let starts = job.driverAttempts == 1 ? "once" : "\(job.driverAttempts) times"
            return JobReason(.lost, "its driver was started \(starts); the last: \(message)")
        case .error: return JobReason(.error, message)
        case .crash: break
        }
        if let text = JobSituation.outOfMemory(in: failure.message) {
            return JobReason(.outOfMemory, text)
        }
        let cause = AttemptOutcome.crashed(
            message: message, exitCode: failure.exitCode, signal: failure.signal
        ).cause
        if let signal = failure.signal {
            return JobReason(.signal, "its driver was ended by \(cause)", has: Double(signal))
        }
        // A driver that ended by itself says so; all else has a reason of its own, as what does
        // not compile.
        let isPlain = message.hasPrefix("the driver ended with ")
        return JobReason(
            .exitCode, isPlain ? "its driver ended with \(cause)" : message,
            has: failure.exitCode.map(Double.init))
    }

    /// "out of memory: it and what it started took 70 MiB of at most 64 MiB", out of a message.
    private static func outOfMemory(in message: String) -> String? {
        guard let range = message.firstRange(of: "out of memory: ") else { return nil }
        let rest = message[range.lowerBound...]
        return String(rest.prefix { $0 != "\n" && $0 != ";" })
    }

    /// The last line a crashed driver printed.
    private func lastWord(of failure: TaskFailure) -> String? {
        guard failure.kind == .crash, let line = driver?.history.last?.lastLines.last,
            !line.isEmpty
        else { return nil }
        return line.prefix(maxBytes: 200)
    }
}
