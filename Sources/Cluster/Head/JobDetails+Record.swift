package import Jobs

extension JobDetails {
    /// A job as people and Ray's clients see it.
    package init(_ record: JobRecord) {
        let spec = record.spec
        type = "SUBMISSION"
        jobID = nil
        submissionID = spec.id.rawValue
        entrypoint = spec.entrypoint.description
        startTime = record.startedAt ?? record.submittedAt
        endTime = record.endedAt
        metadata = spec.metadata
        runtimeEnvironment = .init(
            workingDirectory: spec.workingDirectory.map { digest in
                spec.workingDirectoryURL.map { "\($0)#sha256=\(digest)" } ?? "blob://\(digest)"
            },
            variables: spec.environment.isEmpty ? nil : spec.environment)
        let summary = Summary(record)
        status = summary.status
        message = summary.message
        errorType = summary.status == .failed ? summary.errorType : nil
        driverExitCode = summary.exitCode
        manta = More(
            phase: summary.phase, detail: summary.detail, why: nil, worker: summary.worker,
            pool: spec.poolName, waitsFor: record.waitsFor.map(\.rawValue), life: record.lives,
            driverAttempts: record.driverAttempts, tasksTotal: record.tasksTotal,
            tasksSucceeded: record.tasksSucceeded, tasksFailed: record.tasksFailed,
            tasksRetried: record.tasksRetried, signal: summary.signal)
    }

    /// As above, with what it waits for or why it ended.
    package init(_ situation: JobSituation) {
        self.init(situation.job)
        let line = situation.explanation.line
        manta.why = line
        manta.mlflow = Tracking(of: situation.job.spec.id, among: situation.workers)
        if case .active(.queued) = situation.job.state { manta.detail = line }
    }

    /// As above for a job that waits; for any other the record says enough to those who follow it.
    init(_ record: JobRecord, in store: any JobStore) async throws {
        if case .active(.queued) = record.state,
            let situation = try await store.situation(of: record.spec.id)
        {
            self.init(situation)
        } else {
            self.init(record)
        }
    }

    /// The parts that depend on the state.
    private struct Summary {
        var status = Status.pending
        var phase = "queued"
        var message = ""
        var detail = ""
        var worker: String?
        var errorType: String?
        var exitCode: Int32?
        var signal: Int32?

        init(_ record: JobRecord) {
            switch record.state {
            case .active(.queued):
                message = "Job has not started yet. It may be waiting for a worker with free slots."
                detail = "waiting for a worker"
            case .active(.compiling(let id)):
                let name = WorkerID.name(in: id)
                phase = "compiling"
                worker = name
                message = "Job has not started yet. Its script is being compiled on \(name)."
                detail = "compiling on \(name)"
            case .active(.running(let id)):
                let name = WorkerID.name(in: id)
                (status, phase, worker) = (.running, "running", name)
                message = "Job is currently running."
                detail = "running on \(name)"
            case .stopping(let whom):
                (status, phase) = (.running, "stopping")
                message = "Job is being stopped."
                detail = "stop asked for by \(whom)"
            case .succeeded:
                (status, phase, exitCode) = (.succeeded, "succeeded", 0)
                message = "Job finished successfully."
            case .stopped(let whom):
                (status, phase) = (.stopped, "stopped")
                message = "Job was intentionally stopped."
                detail = "stopped by \(whom)"
            case .failed(let failure):
                (status, phase) = (.failed, "failed")
                message = failure.message
                detail = failure.message.split(separator: "\n").first.map(String.init) ?? ""
                errorType =
                    failure.exitCode == BuildError.exitCode
                    ? "RUNTIME_ENV_SETUP_FAILURE" : "JOB_ENTRYPOINT_COMMAND_ERROR"
                exitCode = failure.exitCode
                signal = failure.signal
            }
        }
    }
}

extension Entrypoint {
    /// As a person would type it.
    package var description: String {
        switch self {
        case .command(let command): command
        case .script(let fileName, _, let arguments):
            ([JobCompiler.title(of: fileName)] + arguments).joined(separator: " ")
        }
    }
}
