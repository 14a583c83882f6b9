public import DecisionForests

import Foundation

extension Cluster {
    /// Grows the learner's trees on all slots of the cluster and puts the model together.
    ///
    /// The data set travels once, as a blob that every executor maps. The model is the same, bit
    /// for bit, for any number of workers and threads, and after killed ones.
    ///
    /// - Throws: `TrainingError` for data that nothing can be learned from, `JobError` for tasks
    ///   that were lost.
    public func fit(
        _ learner: some EnsembleLearner, to dataset: Dataset
    ) async throws -> TrainedModel {
        let reference = try await put(dataset)
        let inputs = GrowTreesInput.all(of: learner, on: reference)
        let progress = Progress(GrowTrees.task.name, total: learner.treeCount)
        let parts = try await map(
            GrowTrees.task, over: inputs, maxInFlight: nil, weight: \.count, progress)
        var trees: [Tree] = []
        trees.reserveCapacity(learner.treeCount)
        for part in parts { trees += try TreeCodec.decode([UInt8](part)) }
        let model = try learner.model(from: trees, trainedOn: dataset)
        FittedModels.shared.remember(model, dataset)
        return model
    }

    /// Keeps a data set where every task can read it; see `TaskContext.dataset(_:)`.
    public func put(_ dataset: Dataset) async throws -> BlobReference {
        try await runner.put(Data(dataset.encoded()))
    }
}

extension TaskContext {
    /// The data set that `Cluster.put` stored.
    public func dataset(_ reference: BlobReference) async throws -> Dataset {
        try Dataset(decoding: try await bytes(of: reference))
    }
}
