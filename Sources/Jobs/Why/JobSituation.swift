/// Everything that decides what a job waits for or why it ended, read from a store at one moment.
///
/// `JobStore.situation` answers it; `explanation` says it in words. Lists are cut to the bounds
/// below, so that the read costs the same for a job of ten tasks and of a hundred thousand.
package struct JobSituation: Sendable, Hashable {
    /// Waiting tasks of one shape: they need the same of a worker.
    package struct Waiting: Sendable, Hashable {
        /// The one that is granted first.
        package let first: TaskRecord
        package let count: Int

        package init(first: TaskRecord, count: Int) {
            self.first = first
            self.count = count
        }
    }

    /// The store's clock, milliseconds since 1970.
    package var now: Int64
    package var job: JobRecord
    package var driver: TaskRecord?
    /// Tasks that run now, the driver counted.
    package var runningCount: Int
    /// The jobs of `job.waitsFor` that are kept.
    package var before: [JobRecord]
    /// What stands in the queues, the shape with the most tasks first.
    package var waiting: [Waiting]
    /// Tasks between two attempts, the soonest first.
    package var delayed: [TaskRecord]
    /// Tasks that failed for good, the oldest ones, and how many there are.
    package var dead: [TaskRecord]
    package var deadCount: Int
    /// Jobs of the same pool whose next task is granted before this one's.
    package var jobsAhead: Int
    package var workers: [WorkerRecord]

    /// Shapes, delayed and dead tasks that one read tells of.
    package static let waitingMax = 8
    package static let tasksMax = 4
    /// Delayed tasks of all jobs that are looked through for those of this job.
    package static let delayedScanMax = 256
    /// Heads of queues that are compared for `jobsAhead`; with more it is a lower bound.
    package static let queueScanMax = 4_096

    package init(
        now: Int64, job: JobRecord, driver: TaskRecord?, runningCount: Int = 0,
        before: [JobRecord] = [], waiting: [Waiting] = [], delayed: [TaskRecord] = [],
        dead: [TaskRecord] = [], deadCount: Int = 0, jobsAhead: Int = 0,
        workers: [WorkerRecord] = []
    ) {
        self.now = now
        self.job = job
        self.driver = driver
        self.runningCount = runningCount
        self.before = before
        self.waiting = waiting
        self.delayed = delayed
        self.dead = dead
        self.deadCount = deadCount
        self.jobsAhead = jobsAhead
        self.workers = workers
    }
}
