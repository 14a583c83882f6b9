import Foundation
import JobChannel
import MLflow
import ModelFormats
import Synchronization
import TestSupport
import Testing

@testable import DecisionForests
@testable import Manta

/// Boosted fits that are broken off between rounds and go on in other processes.
@Suite(.timeLimit(.minutes(2))) struct FitTurnsTests {
    init() { FitTasks.declare() }

    private func makeData() throws -> (train: Dataset, holdout: Dataset) {
        try makeClassification(
            samples: 400, features: 8, informative: 4, redundant: 4, classes: 2, seed: 12
        ).split(holdout: 0.25, seed: 1)
    }

    /// All that chance and the rounds before decide: row and feature samples, early stopping.
    private func makeLearner() throws -> GradientBoostingClassifier {
        try GradientBoostingClassifier(
            BoosterParameters(
                rounds: 30, learningRate: 0.5, leaves: 6, minRowsInLeaf: 5, rowShare: 0.7,
                featureShare: 0.6, earlyStoppingRounds: 4, seed: 3))
    }

    private func expected() throws -> [UInt8] {
        let (train, validation) = try makeData()
        return try ModelFile.encode(makeLearner().fit(train, validation: validation, threads: 1))
    }

    @Test("One executor or some, of few CPUs or more, fit the same bytes as this process alone")
    func sameBytes() async throws {
        let expected = try expected()
        let (train, validation) = try makeData()
        for slots in [1, 3] {
            let worker = try TestWorker(slots: slots)
            defer { worker.end() }
            try await worker.startExecutors(slots)
            let cluster = try await worker.makeCluster()
            let model = try await cluster.fit(makeLearner(), to: train, validation: validation)
            #expect(try ModelFile.encode(model) == expected)
        }
        let alone = Cluster(LocalRunner(slots: 2), try DriverEnvironment([:]))
        let model = try await alone.fit(makeLearner(), to: train, validation: validation)
        #expect(try ModelFile.encode(model) == expected)
    }

    @Test("Broken off after every round, with executors dying, a fit gives the same bytes")
    func turns() async throws {
        let (train, validation) = try makeData()
        let learner = try GradientBoostingClassifier(
            BoosterParameters(
                rounds: 50, leaves: 6, minRowsInLeaf: 5, rowShare: 0.7, featureShare: 0.6,
                seed: 3))
        let expected = try ModelFile.encode(
            learner.fit(train, validation: validation, threads: 1))
        let worker = try TestWorker(slots: 2)
        defer { worker.end() }
        try await worker.startExecutors(3)
        let cluster = try await worker.makeCluster()
        let isOver = Mutex(false)
        let fitting = Task {
            defer { isOver.withLock { $0 = true } }
            return try await cluster.fitInTurns(
                learner, train, validation, nil, seconds: { _ in 0 })
        }
        var kills = 0
        while kills < 2, !isOver.withLock({ $0 }) {
            if worker.seen.assignments > 2 + 3 * kills, worker.killOneBusyExecutor() { kills += 1 }
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(kills == 2)
        #expect(try ModelFile.encode(await fitting.value) == expected)
        #expect(worker.seen.attemptsMax > 1)
    }

    @Test("A restarted driver repeats no turn, and each round is on the server once")
    func restart() async throws {
        let url = try await MLflowServer.shared().url
        let (train, validation) = try makeData()
        let worker = try TestWorker(slots: 1)
        defer { worker.end() }
        try await worker.startExecutors(1)
        let job = MLflowServer.unique("job")
        let experiment = MLflowServer.unique("manta")
        var models: [TrainedModel] = []
        var assignments: [Int] = []
        var id: String?
        for _ in 0..<2 {
            let cluster = try await worker.makeCluster()
            let current = CurrentJob(
                environment: try DriverEnvironment(["MLFLOW_TRACKING_URI": url]), jobID: job,
                script: "boosting.swift")
            let (model, runID) = try await CurrentJob.$value.withValue(current) {
                try await Manta.MLflow.run(experiment: experiment) { run in
                    let model = try await cluster.fitInTurns(
                        makeLearner(), train, validation, run, seconds: { _ in 0 })
                    return (model, run.id)
                }
            }
            models.append(model)
            assignments.append(worker.seen.assignments)
            id = runID
        }
        #expect(models[0] == models[1] && assignments[0] == assignments[1])
        let client = MLflowClient(try MLflowConfiguration(trackingURI: url))
        let losses = try await client.metricHistory(
            of: "valid_log_loss", run: try #require(id))
        #expect(losses.map(\.step) == (1...losses.count).map(Int64.init))
        // The binning, a turn per round, and perhaps one that finds that it is time to stop.
        #expect(losses.count > 4 && (1...2).contains(assignments[0] - losses.count))
    }

    @Test("All fits on the same data map one file of bins, forests among them")
    func sharedBins() async throws {
        let (train, validation) = try makeData()
        let worker = try TestWorker(slots: 2)
        defer { worker.end() }
        try await worker.startExecutors(2)
        let cluster = try await worker.makeCluster()
        for rate in [0.1, 0.2] {
            let learner = try GradientBoostingClassifier(
                BoosterParameters(rounds: 4, learningRate: rate, bins: 256, seed: 3))
            let model = try await cluster.fit(learner, to: train, validation: validation)
            #expect(try model == learner.fit(train, validation: validation, threads: 1))
        }
        _ = try await cluster.fit(RandomForestClassifier(trees: 2, seed: 3), to: train)
        // One binning (a forest's bins are those of max_bin 256), two boosted fits, two trees.
        #expect(worker.seen.assignments == 1 + 2 + 2)
        let few = try GradientBoostingClassifier(BoosterParameters(rounds: 4, bins: 15, seed: 3))
        #expect(try await cluster.fit(few, to: train) == few.fit(train, threads: 1))
        #expect(worker.seen.assignments == 7)
    }

    @Test("A checkpoint of something else, and bins of other rows, are refused")
    func hostile() async throws {
        let (train, validation) = try makeData()
        let worker = try TestWorker(slots: 1)
        defer { worker.end() }
        try await worker.startExecutors(1)
        let cluster = try await worker.makeCluster()
        let leaf = Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [0.5])
        var wild = leaf
        wild.leftChild = [7]
        let good = FitCheckpoint(first: 0, trees: [leaf], baseScores: [0]).encoded()
        let bad: [[UInt8]] = [
            Array(good.dropLast()), [],
            FitCheckpoint(first: 0, trees: [wild], baseScores: [0]).encoded(),
            FitCheckpoint(first: 0, trees: [leaf], baseScores: [0, 1]).encoded(),
            FitCheckpoint(first: 2, trees: [leaf], baseScores: [0]).encoded(),
        ]
        var input = FitModelInput(
            learner: AnyLearner(try makeLearner()), dataset: try await cluster.put(train),
            validation: try await cluster.put(validation))
        for bytes in bad {
            input.earlier = [Data(bytes)]
            await #expect(throws: JobError.self) {
                try await cluster.run(FitModel.task, input)
            }
        }
        input.earlier = []
        input.bins = try await cluster.run(
            BinDataset.task, BinDatasetInput(dataset: try await cluster.put(validation), seed: 3))
        await #expect(throws: JobError.self) { try await cluster.run(FitModel.task, input) }
        await #expect(throws: JobError.self) {
            try await cluster.run(
                BinDataset.task,
                BinDatasetInput(dataset: input.dataset, seed: 3, valueBins: 999))
        }
    }

    @Test("Turns grow from half a minute to ten")
    func lengths() {
        let lengths = (0..<12).map(FitModelInput.seconds(ofTurn:))
        #expect(lengths[0] == 30 && lengths[1] == 45 && lengths.last == 600)
        #expect(zip(lengths, lengths.dropFirst()).allSatisfy { $0 <= $1 })
    }
}
