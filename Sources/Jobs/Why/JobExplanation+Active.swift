/// Why a job that is not over does not go on.
extension JobSituation {
    var queued: JobExplanation {
        var reasons = jobsBefore
        if reasons.isEmpty, let driver {
            reasons = [delay(of: driver) ?? placement(of: driver)]
        }
        // Who is ahead matters only where room will come.
        if reasons.contains(where: \.hopes), let ahead { reasons.append(ahead) }
        if let last = driver?.history.last {
            reasons.append(
                JobReason(.lost, "attempt \(last.number) ended: \(last.cause.withoutWorkerNumbers)")
            )
        }
        return JobExplanation(job.state, reasons, next: reasons.compactMap(\.next))
    }

    func running(on worker: String) -> JobExplanation {
        var reasons = [JobReason(.running, progress(on: worker), worker: worker)]
        for group in waiting.prefix(2) where group.first.spec.kind == .task {
            var reason = placement(of: group.first)
            let verb = group.count == 1 ? "waits" : "wait"
            reason.text = "\(group.count) \(group.first.spec.name) \(verb): \(reason.text)"
            reasons.append(reason)
        }
        if reasons.contains(where: \.hopes), let ahead { reasons.append(ahead) }
        if let task = delayed.first, var reason = delay(of: task) {
            let cause = task.history.last.map { " (\($0.cause.withoutWorkerNumbers))" } ?? ""
            reason.text = "\(task.spec.name) \(reason.text)\(cause)"
            reasons.append(reason)
        }
        if let dead = deadTasks { reasons.append(dead) }
        let next = deadCount > 0 ? ["job tasks \(job.spec.id) --dead"] : []
        return JobExplanation(job.state, reasons, next: next + reasons.compactMap(\.next))
    }

    /// "runs on worker-1; 40 of 100 tasks done, 4 run"
    private func progress(on worker: String) -> String {
        guard job.tasksTotal > 0 else { return "runs on \(worker)" }
        let tasks = max(0, runningCount - 1)
        return "runs on \(worker); \(job.tasksSucceeded) of \(job.tasksTotal) tasks done, "
            + "\(tasks) \(tasks == 1 ? "runs" : "run")"
    }

    private var jobsBefore: [JobReason] {
        let shown = job.waitsFor.prefix(3).map { id in
            let state = before.first { $0.spec.id == id }?.state.word ?? "unknown"
            return JobReason(.after, "waits for job \(id) (\(state))", subject: id.rawValue)
        }
        let more = job.waitsFor.count - shown.count
        return more > 0 ? shown + [JobReason(.after, "and for \(more) more")] : shown
    }

    /// "waits 12 s before attempt 3"; nil for a task that may be granted now.
    private func delay(of task: TaskRecord) -> JobReason? {
        guard case .waiting(let notBefore) = task.state, notBefore > now else { return nil }
        let seconds = Double((notBefore - now + 99) / 100) / 10
        let text = seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
        return JobReason(.delay, "waits \(text) s before attempt \(task.attempt + 1)")
    }

    private func placement(of task: TaskRecord) -> JobReason {
        Placement(task: task.spec, workers: workers).reason
    }

    /// "3 jobs ahead in pool default"
    private var ahead: JobReason? {
        guard jobsAhead > 0 else { return nil }
        let pool = job.spec.poolName
        let jobs = jobsAhead == 1 ? "1 job" : "\(jobsAhead) jobs"
        return JobReason(
            .jobsAhead, "\(jobs) ahead in pool \(pool)", subject: pool, has: Double(jobsAhead))
    }

    /// "2 tasks failed for good, the first: score, signal 9 (SIGKILL)"
    var deadTasks: JobReason? {
        guard deadCount > 0 else { return nil }
        let tasks = deadCount == 1 ? "1 task" : "\(deadCount) tasks"
        let first = dead.first.map { task in
            let cause = task.failureText.map { ", \($0)" } ?? ""
            return "\(deadCount == 1 ? ": " : ", the first: ")\(task.spec.name)\(cause)"
        }
        return JobReason(
            .deadTasks, "\(tasks) failed for good\(first ?? "")", has: Double(deadCount))
    }
}

extension JobReason {
    /// Whether waiting alone may help.
    fileprivate var hopes: Bool { [.busy, .driverSlots, .soon].contains(kind) }

    /// What a person may do about it; nil where waiting is all.
    fileprivate var next: String? {
        switch kind {
        case .noWorker: "manta worker, or manta up"
        case .noPool: subject.map { "manta worker --pool \($0)" }
        case .after: subject.map { "job why \($0)" }
        case .tooLarge, .labels: "manta top shows what workers have"
        default: nil
        }
    }
}

extension TaskRecord {
    /// Why it failed for good, in one line; nil when it did not.
    package var failureText: String? {
        guard case .failed(let failure) = state else { return nil }
        let text = history.last?.cause ?? failure.message.firstLine
        return text.withoutWorkerNumbers
    }
}

extension String {
    /// The text with identities of workers ("worker-1#5F0A93C2") cut to their names.
    package var withoutWorkerNumbers: String {
        replacing(/#[0-9A-F]{8}/, with: "")
    }
}
