public import DecisionForests

import Foundation
import ModelFormats

extension Cluster {
    /// Fits the learner on the cluster.
    ///
    /// Trees that grow one by one, those of forests, grow on all slots. Other models are fitted in
    /// one executor, on the CPUs that the emptiest worker has free; a booster's in turns of half a
    /// minute and more, so that a lost executor takes one turn along and not the fit. The data set
    /// travels once, as a blob; forests and boosters get its bins, which all processes of a machine
    /// share. The model is the same, bit for bit, for any number of workers and threads, and after
    /// killed ones.
    ///
    /// - Parameters:
    ///   - dataset: the rows to learn from.
    ///   - validation: rows to stop early by, for learners that do.
    ///   - run: where the figures of each round are logged, in order, the round's number being the
    ///     step; and the gain importances, as the artifact `feature_importance_gain.json`. A
    ///     restarted driver repeats none of it.
    /// - Throws: `TrainingError` or `JobError.taskFailed` for data that nothing can be learned
    ///   from, `JobError` for tasks that were lost.
    public func fit(
        _ learner: some Learner, to dataset: Dataset, validation: Dataset? = nil,
        recordingTo run: MLflowRun? = nil
    ) async throws -> TrainedModel {
        let model =
            if let threads = runner.ownThreads {
                try await fitHere(learner, dataset, validation, threads: threads, run)
            } else if let ensemble = learner as? any EnsembleLearner {
                try await growOnSlots(ensemble, dataset)
            } else {
                try await fitInTurns(learner, dataset, validation, run)
            }
        FittedModels.shared.remember(model, dataset)
        try await run?.logImportances(of: model)
        return model
    }

    /// Keeps a data set where every task can read it; see `TaskContext.dataset(_:)`.
    public func put(_ dataset: Dataset) async throws -> BlobReference {
        try await runner.put(Data(dataset.encoded()))
    }

    // MARK: In executors

    private func growOnSlots(
        _ learner: some EnsembleLearner, _ dataset: Dataset
    ) async throws -> TrainedModel {
        let values = try await put(dataset)
        let source =
            learner.needsColumns
            ? BinnedSource.values(values, seed: learner.binningSeed)
            : .bins(
                try await runOnce(
                    BinDataset.task, BinDatasetInput(dataset: values, seed: learner.binningSeed)))
        let inputs = GrowTreesInput.all(of: learner, on: source)
        let progress = Progress(GrowTrees.task.name, total: learner.treeCount)
        let parts = try await map(
            GrowTrees.task, over: inputs, maxInFlight: nil, weight: \.count, progress)
        var trees: [Tree] = []
        trees.reserveCapacity(learner.treeCount)
        for part in parts { trees += try TreeCodec.decode([UInt8](part)) }
        return try learner.model(from: trees, trainedOn: dataset)
    }

    /// Fits a model in one executor at a time. A booster hands back what it has after each turn;
    /// a restarted driver finds the turns that are done among the job's results.
    func fitInTurns(
        _ learner: some Learner, _ dataset: Dataset, _ validation: Dataset?, _ run: MLflowRun?,
        seconds: (_ turn: Int) -> Double = FitModelInput.seconds(ofTurn:)
    ) async throws -> TrainedModel {
        var input = FitModelInput(learner: AnyLearner(learner), dataset: try await put(dataset))
        if let validation { input.validation = try await put(validation) }
        if let boosting = (learner as? any BoostingLearner)?.boosting {
            input.bins = try await runOnce(
                BinDataset.task,
                BinDatasetInput(
                    dataset: input.dataset, seed: boosting.seed, valueBins: boosting.valueBinsMax))
        }
        while true {
            input.secondsMax = seconds(input.earlier.count)
            var call = try await prepare(FitModel.task, input)
            call.options.milliCPUsMax = .max
            let output = try await finish(FitModel.task, call)
            try await run?.log(output.history)
            switch output.end {
            case .finished(let model): return try ModelFile.decode([UInt8](model))
            case .paused(let rounds): input.earlier.append(rounds)
            }
        }
    }

    // MARK: In this process

    private func fitHere(
        _ learner: some Learner, _ dataset: Dataset, _ validation: Dataset?, threads: Int,
        _ run: MLflowRun?
    ) async throws -> TrainedModel {
        if let ensemble = learner as? any EnsembleLearner {
            return try await growHere(ensemble, dataset, threads: threads)
        }
        let recorder = FitRecorder(learner.name)
        let model = try recorder.fit(
            learner, to: dataset, validation: validation, threads: threads)
        try await run?.log(recorder.history)
        return model
    }

    /// Some trees at a time on each thread, so that none waits for another's to end.
    private func growHere(
        _ learner: some EnsembleLearner, _ dataset: Dataset, threads: Int
    ) async throws -> TrainedModel {
        let data = BinnedDataset(dataset, seed: learner.binningSeed, threads: threads)
        let progress = Progress(GrowTrees.task.name, total: learner.treeCount)
        defer { progress.end() }
        let parts = GrowTreesInput.parts(of: learner)
        var grown = [[Tree]](repeating: [], count: parts.count)
        try await withThrowingTaskGroup(of: (Int, [Tree]).self) { group in
            for (index, part) in parts.enumerated() {
                if index >= threads, let (done, trees) = try await group.next() {
                    grown[done] = trees
                    progress.add(trees.count)
                }
                try Task.checkCancellation()
                group.addTask { (index, try learner.grow(trees: part, on: data, threads: 1)) }
            }
            for try await (done, trees) in group {
                grown[done] = trees
                progress.add(trees.count)
            }
        }
        return try learner.model(from: grown.flatMap { $0 }, trainedOn: dataset)
    }
}

extension TaskContext {
    /// The data set that `Cluster.put` stored.
    public func dataset(_ reference: BlobReference) async throws -> Dataset {
        try Dataset(decoding: try await blobs.storage(of: reference.digest))
    }
}
