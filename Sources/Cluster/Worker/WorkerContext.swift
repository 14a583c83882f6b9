import Jobs
import Logging
import Processes

/// What every attempt on a worker needs: made once, shared by all.
struct WorkerContext: Sendable {
    let configuration: WorkerConfiguration
    let id: WorkerID
    let store: any JobStore
    let cache: BlobCache
    let builder: JobBuilder
    let downloads: PackageDownload
    let hub: ChannelHub
    let memory: MemoryGroups
    /// Nil: jobs look after what MLflow does not take themselves.
    let spools: SpoolKeeper?
    /// Nil: large blobs are not passed from worker to worker.
    let peers: Peers?

    /// CPU slots of all workers that serve a pool; at least this worker's own.
    func slots(of pool: String) async -> Int {
        let own = configuration.resources.milliCPUs
        let serving = ((try? await store.workers()) ?? []).filter { $0.poolNames.contains(pool) }
        let all = serving.reduce(0) { $0 + $1.total.milliCPUs }
        return max(1, max(own, all) / 1_000)
    }

    /// What a piece of work and all it starts may take, in bytes: what it asked for, else all that
    /// this worker has.
    func memoryLimit(of resources: Resources) -> Int64? {
        let limit =
            resources.memoryInBytes > 0
            ? resources.memoryInBytes : configuration.resources.memoryInBytes
        return limit > 0 ? limit : nil
    }

    /// Brings the cache back within its bound; what cannot be done is logged and tried again.
    func trimCache(_ logger: Logger) async {
        do {
            try await cache.trim(to: configuration.cacheMaxInBytes)
        } catch {
            logger.warning("the cache cannot be trimmed", metadata: ["cause": "\(error)"])
        }
    }
}
