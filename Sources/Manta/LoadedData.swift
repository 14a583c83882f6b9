import DecisionForests
import Synchronization

/// Data sets that this process has decoded or mapped, so that only the first task on one pays for
/// it.
final class LoadedData: Sendable {
    static let shared = LoadedData()

    private let binnedSets = RecentValues<BinnedSource, BinnedDataset>()
    private let plainSets = RecentValues<String, Dataset>()

    /// A data set in bins.
    func binned(_ source: BinnedSource, _ context: TaskContext) async throws -> BinnedDataset {
        try await binnedSets.value(of: source) {
            switch source {
            case .bins(let reference):
                let storage = try await context.blobs.storage(of: reference.digest)
                return try BinnedDataset(decoding: storage)
            case .values(let reference, let seed):
                let storage = try await context.blobs.storage(of: reference.digest)
                return BinnedDataset(
                    try Dataset(decoding: storage), seed: seed, threads: context.threads)
            }
        }
    }

    /// What `Cluster.put` stored of a data set.
    func dataset(_ reference: BlobReference, _ context: TaskContext) async throws -> Dataset {
        try await plainSets.value(of: reference.digest) {
            try Dataset(decoding: try await context.blobs.storage(of: reference.digest))
        }
    }
}

/// The values that were asked for last, each made once, however many ask for it at once.
private final class RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// A job rarely fits on more than one data set at a time, with one to judge by; each may be
    /// large.
    static var countMax: Int { 2 }

    /// The most recently used one last.
    private let entries = Mutex<[(key: Key, task: Task<Value, any Error>)]>([])

    func value(
        of key: Key, make: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let task = entries.withLock { entries in
            let known = entries.firstIndex { $0.key == key }.map { entries.remove(at: $0).task }
            let task = known ?? Task { try await make() }
            entries.append((key, task))
            if entries.count > Self.countMax { entries.removeFirst() }
            return task
        }
        do {
            return try await task.value
        } catch {
            // The next task tries again: the blob may be there by then.
            entries.withLock { $0.removeAll { $0.task == task } }
            throw error
        }
    }
}
