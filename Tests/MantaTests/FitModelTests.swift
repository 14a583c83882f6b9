import Foundation
import JobChannel
import MLflow
import ModelFormats
import Synchronization
import TestSupport
import Testing

@testable import DecisionForests
@testable import Manta

@Suite(.timeLimit(.minutes(2))) struct FitModelTests {
    static let threads = RemoteTask("threads") { (_: Int, context) async throws -> Int in
        context.threads
    }

    init() {
        FitTasks.declare()
        _ = Self.threads.name
    }

    private func makeData(rows: Int = 300) throws -> Dataset {
        try makeClassification(
            samples: rows, features: 8, informative: 4, redundant: 4, classes: 2, seed: 11)
    }

    private func withWorker(
        slots: Int, executors: Int, _ body: (TestWorker, Cluster) async throws -> Void
    ) async throws {
        let worker = try TestWorker(slots: slots)
        defer { worker.end() }
        try await worker.startExecutors(executors)
        try await body(worker, try await worker.makeCluster())
    }

    @Test("A model fitted in an executor is, byte for byte, the one fitted here")
    func sameBytes() async throws {
        let data = try makeData()
        let learner = try RandomForestClassifier(trees: 9, seed: 3)
        let expected = try ModelFile.encode(learner.fit(data, threads: 1))
        for slots in [1, 3] {
            try await withWorker(slots: slots, executors: 1) { worker, cluster in
                var call = try await cluster.prepare(
                    FitModel.task,
                    FitModelInput(
                        learner: AnyLearner(learner), dataset: try await cluster.put(data)))
                call.options.milliCPUsMax = .max
                let output = try await cluster.finish(FitModel.task, call)
                guard case .finished(let model) = output.end else {
                    Issue.record("a forest is not fitted in turns")
                    return
                }
                #expect([UInt8](model) == expected)
                #expect(worker.seen.enqueued.first?.milliCPUsMax == .max)
            }
        }
    }

    @Test("A call that can use more gets all that a worker has, others what they asked for")
    func elastic() async throws {
        try await withWorker(slots: 3, executors: 1) { _, cluster in
            #expect(try await cluster.run(Self.threads, 0) == 1)
            var call = try await cluster.prepare(Self.threads, 1)
            call.options.milliCPUsMax = 64_000
            #expect(try await cluster.finish(Self.threads, call) == 3)
        }
    }

    @Test("Two fits on the same data bin it once; its values travel once, and its bins")
    func binnedOnce() async throws {
        let data = try makeData()
        try await withWorker(slots: 2, executors: 2) { worker, cluster in
            for trees in [5, 7] {
                _ = try await cluster.fit(
                    RandomForestClassifier(trees: trees, seed: 3), to: data)
            }
            let binning = worker.seen.enqueued.filter { $0.name == "binDataset" }
            #expect(binning.map(\.occurrence) == [0, 0])
            #expect(worker.seen.assignments == 5 + 7 + 1)
        }
    }

    @Test("Bins that are no bins fail the task with what is wrong")
    func hostileBins() async throws {
        try await withWorker(slots: 1, executors: 1) { _, cluster in
            let reference = try await cluster.put(Array("MantaBins, or so it says".utf8))
            let input = GrowTreesInput(
                data: .bins(reference),
                learner: AnyLearner(try RandomForestClassifier(trees: 1, seed: 1)), first: 0,
                count: 1)
            await #expect {
                try await cluster.run(GrowTrees.task, input)
            } throws: { "\($0)".contains("binned data set is damaged") }
        }
    }

    // MARK: History

    private func progress(_ round: Int, of total: Int) -> FitProgress {
        FitProgress(
            done: round, total: total,
            metrics: [
                Evaluation.Metric(name: "train_log_loss", value: 1 / Double(round)),
                Evaluation.Metric(name: "valid_log_loss", value: 2 / Double(round)),
            ])
    }

    @Test("A recorder keeps every round's figures in order, with the time they came")
    func recorder() throws {
        let clock = Mutex(1_700_000_000.0)
        let recorder = FitRecorder("Booster") {
            clock.withLock { time in
                time += 0.25
                return Date(timeIntervalSince1970: time)
            }
        }
        for round in 1...3 { try recorder.note(progress(round, of: 3)) }
        let rounds = recorder.history.rounds
        #expect(rounds.map(\.number) == [1, 2, 3])
        #expect(rounds.map(\.time) == [250, 500, 750].map { 1_700_000_000_000 + $0 })
        #expect(rounds[1].names == ["train_log_loss", "valid_log_loss"])
        #expect(rounds[1].values == [0.5, 1])
        try recorder.note(FitProgress(done: 4, total: 4))
        #expect(recorder.history.rounds.count == 3)
    }

    @Test("A fit whose task is cancelled ends at the next round")
    func cancelled() async throws {
        let data = try makeData(rows: 50)
        let fitting = Task {
            try await Task.sleep(for: .seconds(30))
            return 0
        }
        fitting.cancel()
        let ended = Task {
            _ = await fitting.result
            withUnsafeCurrentTask { $0?.cancel() }
            return try FitRecorder("x").fit(
                RandomForestClassifier(trees: 4, seed: 1), to: data, validation: nil, threads: 1)
        }
        await #expect(throws: CancellationError.self) { try await ended.value }
    }

    @Test("A history logged again by a restarted driver is on the server once")
    func onServerOnce() async throws {
        let url = try await MLflowServer.shared().url
        let client = MLflowClient(try MLflowConfiguration(trackingURI: url))
        var history = FitHistory()
        for round in 1...1_200 {
            history.rounds.append(
                FitHistory.Round(
                    number: round, time: 1_700_000_000_000 + Int64(round),
                    names: ["train_log_loss", "valid_log_loss"],
                    values: [1 / Double(round), 2 / Double(round)]))
        }
        let job = MLflowServer.unique("job")
        let experiment = MLflowServer.unique("manta")
        var id: String?
        for _ in 0..<2 {
            let current = CurrentJob(
                environment: try DriverEnvironment(["MLFLOW_TRACKING_URI": url]), jobID: job,
                script: "train.swift")
            id = try await CurrentJob.$value.withValue(current) {
                try await Manta.MLflow.run(experiment: experiment) { [history] run in
                    try await run.log(history)
                    return run.id
                }
            }
        }
        let logged = try await client.metricHistory(
            of: "valid_log_loss", run: try #require(id))
        #expect(logged.map(\.step) == Array(1...1_200))
        #expect(logged.map(\.value) == (1...1_200).map { 2 / Double($0) })
    }

    @Test("A job that is alone fits any learner itself, and its rounds are logged as steps")
    func alone() async throws {
        let url = try await MLflowServer.shared().url
        let data = try makeData()
        let learner = try LogisticRegression()
        let cluster = Cluster(LocalRunner(slots: 2), try DriverEnvironment([:]))
        let current = CurrentJob(
            environment: try DriverEnvironment(["MLFLOW_TRACKING_URI": url]),
            jobID: MLflowServer.unique("job"), script: "train.swift")
        let (model, id) = try await CurrentJob.$value.withValue(current) {
            try await Manta.MLflow.run(experiment: MLflowServer.unique("manta")) { run in
                let model = try await cluster.fit(learner, to: data, recordingTo: run)
                return (model, try #require(run.id))
            }
        }
        #expect(try model == learner.fit(data, threads: 1))
        let client = MLflowClient(try MLflowConfiguration(trackingURI: url))
        let losses = try await client.metricHistory(of: "objective", run: id)
        #expect(losses.count > 2 && losses.map(\.step) == losses.map(\.step).sorted())
        #expect(Set(losses.map(\.step)).count == losses.count)
    }

    @Test("Importances and out-of-bag scores stand where MLflow's users look for them")
    func importances() async throws {
        let url = try await MLflowServer.shared().url
        let data = try makeData(rows: 60)
        let cluster = Cluster(LocalRunner(slots: 2), try DriverEnvironment([:]))
        let current = CurrentJob(
            environment: try DriverEnvironment(["MLFLOW_TRACKING_URI": url]),
            jobID: MLflowServer.unique("job"), script: "train.swift")
        let (model, id) = try await CurrentJob.$value.withValue(current) {
            try await Manta.MLflow.run(experiment: MLflowServer.unique("manta")) { run in
                let learner = try RandomForestClassifier(trees: 8, seed: 5)
                let model = try await cluster.fit(learner, to: data, recordingTo: run)
                try await run.log(outOfBag: learner.outOfBag(model, trainedOn: data))
                try await run.log(
                    importance: PermutationImportance(of: model, on: data, repeats: 1), of: model)
                return (model, try #require(run.id))
            }
        }
        let client = MLflowClient(try MLflowConfiguration(trackingURI: url))
        let run = try await client.run(id: id)
        let files = try await client.listArtifacts(of: try #require(run.artifactURI))
        #expect(
            files.map(\.path.text).sorted() == [
                "feature_importance_gain.json", "feature_importance_permutation.json",
            ])
        #expect(run.metrics.contains { $0.key == "oob_score" && $0.value > 0 })
        #expect(model.gainImportances.count == data.featureCount)
    }
}
