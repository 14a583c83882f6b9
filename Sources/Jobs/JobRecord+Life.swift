/// The life of a job, which follows the life of its driver task:
/// `active(queued → compiling → running) → succeeded | failed | stopped`, by way of `stopping`.
///
/// **Stop and success.** A driver that succeeds before it heard of the stop makes the job succeed:
/// saying "stopped" of work that is done, and maybe registered, would be false.
extension JobRecord {
    /// What tasks of a job that is over are said to be cancelled by.
    package static let endOfJob = "the end of the job"

    /// The driver was granted to a worker. A script is compiled first, a command just runs.
    package func granting(driverTo worker: WorkerID, at now: Int64) -> JobRecord {
        var next = self
        next.driverAttempts += 1
        guard case .active = state else { return next }
        switch spec.entrypoint {
        case .script: return next.entering(.compiling(worker: worker.rawValue), at: now)
        case .command: return next.entering(.running(worker: worker.rawValue), at: now)
        }
    }

    /// What the driver's worker says it is doing. Only an active job has a phase.
    package func entering(_ phase: JobPhase, at now: Int64) -> JobRecord {
        guard case .active = state else { return self }
        var next = self
        next.state = .active(phase)
        if case .running = phase, startedAt == nil { next.startedAt = now }
        return next
    }

    /// Takes over what became of the driver's attempt.
    package func following(driver: TaskRecord, at now: Int64) -> JobRecord {
        guard !state.isTerminal else { return self }
        switch driver.state {
        case .waiting: return entering(.queued, at: now)
        case .running: return self
        case .succeeded(let result):
            return ending(as: .succeeded(result: result == .inline([]) ? nil : result), at: now)
        case .failed(let failure): return ending(as: .failed(failure), at: now)
        case .cancelled(let whom): return ending(as: .stopped(by: whom), at: now)
        }
    }

    /// A stop was asked for. The first one who asked is remembered.
    package func stopping(by whom: String) -> JobRecord {
        guard case .active = state else { return self }
        var next = self
        next.state = .stopping(by: whom)
        return next
    }

    /// Who cancels this job's tasks; nil while the job is active.
    package var cancelsTasksBy: String? {
        switch state {
        case .active: nil
        case .stopping(let whom), .stopped(let whom): whom
        case .succeeded, .failed: JobRecord.endOfJob
        }
    }

    /// Counts a transition of one of the job's tasks. The driver is not counted.
    package func counting(_ task: TaskRecord, was old: TaskRecord?) -> JobRecord {
        guard task.spec.kind == .task else { return self }
        var next = self
        if old == nil { next.tasksTotal += 1 }
        guard let old, old.state != task.state else { return next }
        switch task.state {
        case .succeeded: next.tasksSucceeded += 1
        case .failed: next.tasksFailed += 1
        case .waiting where old.state.isTerminal:
            if case .failed = old.state { next.tasksFailed -= 1 }
        case .waiting where task.attempt == old.attempt: next.tasksRetried += 1
        case .waiting, .running, .cancelled: break
        }
        return next
    }

    private func ending(as end: JobState, at now: Int64) -> JobRecord {
        var next = self
        next.state = end
        next.endedAt = now
        next.waitsFor = []
        return next
    }
}

extension NewJob {
    /// The task that runs the entrypoint: the first of every job.
    package var driver: NewTask {
        NewTask(
            id: .driver(of: id), job: id, kind: .driver, name: "driver", input: .inline([]),
            resources: driverResources, labels: driverLabels, priority: priority, retry: .driver,
            deadlines: deadlines ?? Deadlines(), pool: poolName)
    }
}
