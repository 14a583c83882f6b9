import Jobs

extension JobDetails.Tracking {
    /// What the workers tell of a job; nil when nothing.
    init?(of job: JobID, among workers: [WorkerRecord]) {
        var sum = TrackingBacklog(job: job, waitingCount: 0)
        for worker in workers {
            for backlog in worker.tracking ?? [] where backlog.job == job { sum.add(backlog) }
        }
        guard !sum.isEmpty else { return nil }
        (waiting, oldest, lastError) = (sum.waitingCount, sum.oldest, sum.lastError)
        (dropped, refused) = (sum.droppedCount, sum.refusedCount)
    }
}
