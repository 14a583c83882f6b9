/// The rules of a retry, of jobs that wait for others, and of the dead.
///
/// **A job's new life.** A job that failed or was stopped may be retried once none of its tasks
/// runs any more (they would write into both lives). Its driver then waits with fresh attempts, and
/// `lives` grows. What succeeded stays and is answered from memory. What failed or was cancelled
/// belongs to the earlier life: when the driver asks for it again it waits anew, with its history
/// kept. Fencing tokens are the store's and only grow, so nobody of an earlier life can end
/// anything of a later one.
///
/// **A dead task's new life.** In an active job the task just waits again. In a job that failed or
/// was stopped nobody would take its result, so the job is retried too and the task need not wait
/// for its driver to ask. A job that succeeded is not begun again for a task it did without.
///
/// **After other jobs.** A driver that waits for other jobs is held: it stands in no queue. When
/// the last of them succeeded it is let go and its deadlines begin. When one fails or is stopped
/// the job is stopped, and the one who stopped it reads "job a, which failed". A retry does not
/// wait again: `after` is asked at submission only.
extension JobRecord {
    /// The job at the beginning of its next life.
    ///
    /// - Throws: `.refused` unless it failed or was stopped.
    package func retrying() throws(JobStoreError) -> JobRecord {
        switch state {
        case .failed, .stopped: break
        case .stopping: throw .retryRefused("stopping", spec.id)
        case .active, .succeeded: throw .retryRefused("succeeded", spec.id)
        }
        var next = self
        next.state = .active(.queued)
        next.startedAt = nil
        next.endedAt = nil
        next.lives += 1
        return next
    }

    /// What a job that waits for this one is stopped by.
    package var reasonForFollowers: String {
        if case .failed = state { return "job \(spec.id), which failed" }
        return "job \(spec.id), which was stopped"
    }
}

extension JobStoreError {
    /// Why a job in the state that `word` names cannot be retried now.
    static func retryRefused(_ word: String, _ job: JobID) -> JobStoreError {
        switch word {
        case "stopping": .refused("job \(job) is being stopped; retry it when it is over")
        case "running":
            .refused("tasks of job \(job) are still being ended; try again in a few seconds")
        default: .refused("job \(job) succeeded; nothing of it is to be done again")
        }
    }

    static func unknownJobs(_ jobs: some Sequence<String>) -> JobStoreError {
        .refused(
            "jobs to come after must be known to the store: \(jobs.joined(separator: ", ")); "
                + "`job list` shows those that are")
    }
}

extension TaskRecord {
    /// A task that failed or was cancelled waits again, with fresh attempts.
    package func reviving(in life: Int, at now: Int64) throws(TaskLifeError) -> TaskRecord {
        switch state {
        case .failed, .cancelled: break
        case .waiting, .running, .succeeded: throw .notClaimable(spec.id)
        }
        var next = self
        next.attempt = 0
        next.cancelRequestedBy = nil
        next.life = life
        next.scheduledAt = now
        next.isHeld = false
        next.enter(.waiting(notBefore: now), at: now)
        return next
    }

    /// Lets a held driver into the queue.
    package func releasing(at now: Int64) -> TaskRecord {
        guard isHeld, case .waiting = state else { return self }
        var next = self
        next.isHeld = false
        next.scheduledAt = now
        next.enter(.waiting(notBefore: now), at: now)
        return next
    }

    /// Keeps a new driver out of the queue.
    package func holding() -> TaskRecord {
        var next = self
        next.isHeld = true
        next.deadline = nil
        return next
    }
}
