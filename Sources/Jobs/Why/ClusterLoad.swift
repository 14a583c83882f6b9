/// What runs and waits in the whole cluster at one moment: what `manta top` shows beside the
/// workers.
package struct ClusterLoad: Codable, Sendable, Hashable {
    /// What stands in the queues of one pool.
    package struct PoolLoad: Codable, Sendable, Hashable {
        package let name: String
        package let waitingDrivers: Int
        package let waitingTasks: Int

        package init(name: String, waitingDrivers: Int, waitingTasks: Int) {
            self.name = name
            self.waitingDrivers = waitingDrivers
            self.waitingTasks = waitingTasks
        }

        enum CodingKeys: String, CodingKey {
            case name
            case waitingDrivers = "waiting_drivers"
            case waitingTasks = "waiting_tasks"
        }
    }

    /// Jobs that wait for a worker, for others, or are compiled.
    package var pendingJobs = 0
    package var runningJobs = 0
    package var stoppingJobs = 0
    /// Jobs that are over and kept.
    package var endedJobs = 0
    /// Attempts that run now, drivers included.
    package var leases = 0
    /// Tasks between two attempts.
    package var delayedTasks = 0
    package var schedules = 0
    /// By name; those where something waits.
    package var pools: [PoolLoad] = []

    package init() {}

    enum CodingKeys: String, CodingKey {
        case leases, schedules, pools
        case pendingJobs = "pending_jobs"
        case runningJobs = "running_jobs"
        case stoppingJobs = "stopping_jobs"
        case endedJobs = "ended_jobs"
        case delayedTasks = "delayed_tasks"
    }
}
