package import Jobs
import Processes

/// Everything a worker is told when it starts.
package struct WorkerConfiguration: Sendable {
    /// Shown in logs and lists: "worker-1".
    package var name: String
    package var host: String
    /// What tasks may use of this machine.
    package var resources: Resources
    package var labels: Set<String>
    /// Only jobs of these pools run here.
    package var pools: Set<String> = [Pool.defaultName]
    /// Drivers use no CPU of their own, so their number is bounded by itself.
    package var driverSlots = 16
    /// Attempts at one time, so that tasks which ask for no CPU are bounded too.
    package var attemptsMax = 256
    /// Bytes of blobs and binaries that are kept; what was used in the last hour stays in any case.
    package var cacheMaxInBytes: Int64 = 20 << 30
    /// Where other workers fetch large blobs from this one; nil: it takes no part in that.
    package var peerAddress: PeerAddress?
    /// Bytes of large blobs that have their home here, in a cluster without an origin.
    package var keptMaxInBytes: Int64 = 20 << 30
    /// Kept between starts: compiled jobs, blobs, unpacked working directories.
    package var cacheDirectory: String
    /// Kept between starts: what jobs could not tell MLflow yet.
    package var spoolDirectory: String
    /// Of all jobs on this worker that wait for MLflow.
    package var spoolMaxInBytes: Int64 = 8 << 30
    /// Of one of them; metric history is dropped first when it is reached.
    package var spoolJobMaxInBytes: Int64 = 1 << 30
    /// What MLflow did not take for so long is dropped.
    package var spoolAgeMax = Duration.seconds(7 * 86_400)
    /// Gone with the worker: its socket and the scratch folders of running jobs.
    package var runtimeDirectory: String
    /// What job scripts are compiled against; nil: this worker compiles nothing.
    package var sdk: JobSDK?
    /// From where working directories are fetched that a job names by URL.
    package var downloads = DownloadRules.publicOnly
    /// Whether the kernel may be asked to hold jobs to their memory; otherwise it is sampled.
    package var mayUseControlGroups = true
    /// Our own binary, which answers to `guard`.
    package var guardExecutable: String
    /// What every process of a job inherits (PATH, HOME, MANTA_ADDRESS, MLFLOW_…), without secrets
    /// of ours.
    package var jobEnvironment: [String: String]
    /// Signs the tokens jobs get; nil: jobs get none.
    package var token: String?
    package var version: String
    /// A lease lasts this long without a heartbeat: a dead worker's tasks run elsewhere after it.
    package var leaseDuration = Duration.seconds(4)
    /// Four heartbeats per lease, so that one lost or late one costs nothing.
    package var heartbeatInterval = Duration.seconds(1)
    /// Between SIGTERM and SIGKILL when a job is stopped.
    package var stopGrace = Duration.seconds(5)
    /// A compiler that takes longer is ended, and the script said not to compile.
    package var compileMax = Duration.seconds(600)
    /// As long may a script take to say what it is: its own code before `runJob` runs in this time.
    package var describeMax = Duration.seconds(30)
    /// An executor without work for this long is ended.
    package var executorIdleMax = Duration.seconds(30)

    package init(
        name: String, host: String, resources: Resources, cacheDirectory: String,
        runtimeDirectory: String, guardExecutable: String, jobEnvironment: [String: String],
        version: String, labels: Set<String> = [], sdk: JobSDK? = nil, token: String? = nil
    ) {
        self.name = name
        self.host = host
        self.resources = resources
        self.cacheDirectory = cacheDirectory
        spoolDirectory = cacheDirectory + "/spool"
        self.runtimeDirectory = runtimeDirectory
        self.guardExecutable = guardExecutable
        self.jobEnvironment = jobEnvironment
        self.version = version
        self.labels = sdk == nil ? labels : labels.union([JobSDK.label])
        self.sdk = sdk
        self.token = token
    }
}

extension WorkerConfiguration {
    /// What a worker with this configuration can take at one time.
    var offer: WorkerLife.Offer {
        WorkerLife.Offer(
            resources: resources, driverSlots: driverSlots, attemptsMax: attemptsMax,
            labels: labels.union(sdk == nil ? [] : [ActorTask.label]),
            leaseInMilliseconds: leaseDuration.inMilliseconds, pools: pools)
    }
}
