import DecisionForests
import Foundation
import Synchronization

/// Which trees of which learner on which data: the input of the built-in task "growTrees".
struct GrowTreesInput: Codable, Sendable {
    /// `Dataset.encoded()`.
    var dataset: BlobReference
    var learner: AnyLearner
    /// Numbers of trees, from `first`.
    var first: Int
    var count: Int

    /// A fit is cut into about this many tasks, whatever the cluster's size: the cut decides the
    /// tasks' inputs, and a restarted driver must ask for the same ones. (The trees would be the
    /// same for any cut.)
    static let taskCount = 32

    /// All trees of the learner, cut.
    static func all(of learner: any EnsembleLearner, on dataset: BlobReference) -> [GrowTreesInput]
    {
        let treesPerTask = max(1, (learner.treeCount + taskCount - 1) / taskCount)
        return stride(from: 0, to: learner.treeCount, by: treesPerTask).map { first in
            GrowTreesInput(
                dataset: dataset, learner: AnyLearner(learner), first: first,
                count: min(treesPerTask, learner.treeCount - first))
        }
    }
}

/// The built-in task behind `Cluster.fit`.
enum GrowTrees {
    static let task = RemoteTask("growTrees") {
        (input: GrowTreesInput, context) async throws -> Data in
        guard let learner = input.learner.learner as? any EnsembleLearner else {
            throw JobError.unusableValue(
                subject: input.learner.learner.name, reason: "its trees do not grow one by one")
        }
        guard input.first >= 0, input.count > 0, input.count <= learner.treeCount,
            input.first <= learner.treeCount - input.count
        else {
            throw JobError.unusableValue(
                subject: "trees \(input.first), \(input.count) more",
                reason: "the learner has \(learner.treeCount)")
        }
        let data = try await BinnedDatasets.shared.dataset(
            input.dataset.digest, seed: learner.binningSeed, context)
        let trees = try learner.grow(
            trees: input.first..<(input.first + input.count), on: data, threads: context.threads)
        return Data(TreeCodec.encode(trees))
    }

    /// Registers the task; part of every script, before its registry closes.
    static func declare() { _ = task.name }
}

/// Data sets that this process has decoded and binned, so that only the first task on one pays
/// for it.
final class BinnedDatasets: Sendable {
    static let shared = BinnedDatasets()

    /// A job rarely fits on more than one data set at a time; each may be large.
    static let countMax = 2

    private struct Key: Hashable {
        var digest: String
        var seed: UInt64
    }

    /// The most recently used one last.
    private let entries = Mutex<[(key: Key, task: Task<BinnedDataset, any Error>)]>([])

    /// Tasks that ask at once wait for one decoding.
    func dataset(
        _ digest: String, seed: UInt64, _ context: TaskContext
    ) async throws -> BinnedDataset {
        let key = Key(digest: digest, seed: seed)
        let task = entries.withLock { entries in
            let known = entries.firstIndex { $0.key == key }.map { entries.remove(at: $0).task }
            let task = known ?? Task { try await Self.make(key, context) }
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

    private static func make(_ key: Key, _ context: TaskContext) async throws -> BinnedDataset {
        let bytes = try await context.blobs.load(key.digest)
        let dataset = try Dataset(decoding: [UInt8](bytes))
        return BinnedDataset(dataset, seed: key.seed, threads: context.processThreads)
    }
}
