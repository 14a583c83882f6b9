import DecisionForests
import Foundation

/// Which trees of which learner on which data: the input of the built-in task "growTrees".
struct GrowTreesInput: Codable, Sendable {
    var data: BinnedSource
    var learner: AnyLearner
    /// Numbers of trees, from `first`.
    var first: Int
    var count: Int

    /// A fit is cut into about this many tasks, whatever the cluster's size: the cut decides the
    /// tasks' inputs, and a restarted driver must ask for the same ones. (The trees would be the
    /// same for any cut.)
    static let taskCount = 32

    /// All trees of the learner, cut.
    static func all(of learner: any EnsembleLearner, on data: BinnedSource) -> [GrowTreesInput] {
        parts(of: learner).map { part in
            GrowTreesInput(
                data: data, learner: AnyLearner(learner), first: part.lowerBound, count: part.count)
        }
    }

    /// The numbers of all trees, cut.
    static func parts(of learner: any EnsembleLearner) -> [Range<Int>] {
        let size = max(1, (learner.treeCount + taskCount - 1) / taskCount)
        return stride(from: 0, to: learner.treeCount, by: size).map { first in
            first..<min(learner.treeCount, first + size)
        }
    }
}

/// Where a task finds its data set in bins.
enum BinnedSource: Codable, Sendable, Hashable {
    /// What the task "binDataset" made: every process of a machine maps the same file.
    case bins(BlobReference)
    /// `Dataset.encoded()`, for learners that need the values too: each process bins for itself.
    case values(BlobReference, seed: UInt64)
}

/// Grows some trees of a forest: the built-in task behind `Cluster.fit` for learners whose trees
/// grow one by one.
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
        let data = try await LoadedData.shared.binned(input.data, context)
        let trees = try learner.grow(
            trees: input.first..<(input.first + input.count), on: data, threads: context.threads)
        return Data(TreeCodec.encode(trees))
    }
}

/// Which data is to be binned by which chance: the input of the built-in task "binDataset".
struct BinDatasetInput: Codable, Sendable {
    /// `Dataset.encoded()`.
    var dataset: BlobReference
    var seed: UInt64
    /// Bins for a feature's values at most.
    var valueBins = FeatureBinner.valueBinsMax
}

/// Bins a data set once for all executors that grow trees on it, or boost.
enum BinDataset {
    static let task = RemoteTask("binDataset") {
        (input: BinDatasetInput, context) async throws -> BlobReference in
        guard (2...FeatureBinner.valueBinsMax).contains(input.valueBins) else {
            throw JobError.unusableValue(
                subject: "\(input.valueBins) bins",
                reason: "there are 2 to \(FeatureBinner.valueBinsMax)")
        }
        let bytes = try await context.blobs.storage(of: input.dataset.digest)
        let dataset = try Dataset(decoding: bytes)
        let binned = BinnedDataset(
            dataset,
            binner: FeatureBinner(
                dataset, seed: input.seed, threads: context.threads, valueBins: input.valueBins),
            threads: context.threads)
        return try await context.blobs.put(binned.encoded())
    }
}

/// The built-in tasks: part of every script, declared before its registry closes.
enum FitTasks {
    static func declare() {
        _ = (BinDataset.task.name, GrowTrees.task.name, FitModel.task.name)
    }
}
