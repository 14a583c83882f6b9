import Foundation
import MLflow
import ModelFormats
import TestSupport
import Testing

@testable import Manta

private typealias Tracking = Manta.MLflow

/// Against a real MLflow server.
@Suite(.timeLimit(.minutes(5))) struct MLflowRunTests {
    private func makeClient() async throws -> MLflowClient {
        let url = try await MLflowServer.shared().url
        return MLflowClient(try MLflowConfiguration(trackingURI: url))
    }

    /// Runs `body` as the driver of a job; a second call with the same id is its restart.
    private func asDriver<Result: Sendable>(
        of jobID: String?, _ body: () async throws -> Result
    ) async throws -> Result {
        let url = try await MLflowServer.shared().url
        let job = CurrentJob(
            environment: try DriverEnvironment(["MLFLOW_TRACKING_URI": url]), jobID: jobID,
            script: "train.swift")
        return try await CurrentJob.$value.withValue(job) { try await body() }
    }

    private func makeModel() async throws -> (TrainedModel, Dataset) {
        FitTasks.declare()
        let data = try makeClassification(samples: 60, seed: 2)
        let cluster = Cluster(LocalRunner(slots: 1), try DriverEnvironment([:]))
        let learner = try RandomForestClassifier(trees: 3, seed: 5)
        return (try await cluster.fit(learner, to: data), data)
    }

    @Test("All that a job logs is on the server, and the run is finished")
    func everything() async throws {
        let client = try await makeClient()
        let (model, data) = try await makeModel()
        let experiment = MLflowServer.unique("manta")
        let registered = MLflowServer.unique("Forest")
        let (id, version) = try await asDriver(of: MLflowServer.unique("job")) {
            try await Tracking.run(experiment: experiment, name: "first", tags: ["team": "a"]) {
                run in
                try await run.log(model.parameters)
                try await run.log(parameters: ["width": 75, "isQuick": true, "share": 0.5])
                try await run.log(metrics: try model.evaluate(on: data), prefix: "train_")
                for step in 0..<3 {
                    try await run.log(metric: "loss", 1 / Double(step + 1), step: step)
                }
                try await run.log(
                    dataset: data, name: "made-up", source: "data/x.csv", context: "training")
                try await run.log(text: "# Report", as: "reports/report.md")
                let version = try await run.register(model, as: registered, aliases: ["champion"])
                return (try #require(run.id), version)
            }
        }
        let run = try await client.run(id: id)
        #expect(run.status == .finished && run.name == "first" && run.endTime != nil)
        #expect(run.parameters["n_estimators"] == "3" && run.parameters["width"] == "75")
        #expect(run.parameters["isQuick"] == "true" && run.parameters["share"] == "0.5")
        #expect(run.metrics.contains { $0.key == "train_accuracy" && $0.value > 0.5 })
        let loss = try await client.metricHistory(of: "loss", run: id)
        #expect(loss.map(\.step) == [0, 1, 2])
        #expect(run.tags["team"] == "a" && run.tags["mlflow.source.name"] == "train.swift")
        #expect(run.inputs.map(\.name) == ["made-up"] && run.inputs.first?.context == "training")
        #expect(version.version == "1" && version.source.hasPrefix("models:/m-"))
        let champion = try await client.modelVersion(named: registered, alias: "champion")
        #expect(champion.version == "1" && champion.runID == id)
        let files = try await client.listArtifacts(of: try #require(run.artifactURI))
        #expect(files.map(\.path.text) == ["reports"])
    }

    @Test("A restarted driver goes on with its run and registers nothing twice")
    func restart() async throws {
        let client = try await makeClient()
        let (model, _) = try await makeModel()
        let experiment = MLflowServer.unique("manta")
        let registered = MLflowServer.unique("Forest")
        let job = MLflowServer.unique("job")
        var seen: [[String]] = []
        for attempt in 0..<2 {
            let ids = try await asDriver(of: job) {
                let first = try await Tracking.run(experiment: experiment, name: "at \(attempt)") {
                    run in
                    let version = try await run.register(model, as: registered)
                    return [run.id, version.version, version.source]
                }
                let second = try await Tracking.run(experiment: experiment) { [$0.id] }
                return (first + second).compactMap { $0 }
            }
            seen.append(ids)
        }
        #expect(seen[0] == seen[1] && seen[0].count == 4 && seen[0][0] != seen[0][3])
        let id = try #require(try await client.findExperiment(named: experiment)?.id)
        #expect(try await client.searchRuns(experimentIDs: [id]).count == 2)
        #expect(try await client.searchModelVersions(named: registered).count == 1)
    }

    @Test("Two jobs, and two starts outside a cluster, make runs of their own")
    func separateJobs() async throws {
        let experiment = MLflowServer.unique("manta")
        var ids: Set<String?> = []
        for job in [MLflowServer.unique("job"), MLflowServer.unique("job"), nil, nil] {
            ids.insert(
                try await asDriver(of: job) {
                    try await Tracking.run(experiment: experiment) { $0.id }
                }
            )
        }
        #expect(ids.count == 4)
    }

    @Test("A run ends as its work ended: failed, or killed when the job is stopped")
    func endings() async throws {
        let client = try await makeClient()
        let experiment = MLflowServer.unique("manta")
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            try await asDriver(of: nil) {
                try await Tracking.run(experiment: experiment, name: "broken") { _ in throw Broken()
                }
            }
        }
        let (started, signal) = AsyncStream<Void>.makeStream()
        let stopped = Task {
            try await asDriver(of: nil) {
                try await Tracking.run(experiment: experiment, name: "stopped") { run in
                    try await run.log(metric: "last", 1)
                    signal.yield()
                    try await Task.sleep(for: .seconds(60))
                }
            }
        }
        _ = await started.first { true }
        stopped.cancel()
        await #expect(throws: CancellationError.self) { try await stopped.value }
        let id = try #require(try await client.findExperiment(named: experiment)?.id)
        let runs = try await client.searchRuns(experimentIDs: [id])
        let status = Dictionary(uniqueKeysWithValues: runs.map { ($0.name, $0.status) })
        #expect(status == ["broken": .failed, "stopped": .killed])
        // What was logged before the end is not lost with it.
        #expect(runs.first { $0.name == "stopped" }?.metrics.map(\.key) == ["last"])
    }

    @Test("A run inside a run is its child, and is found again after a restart")
    func nested() async throws {
        let client = try await makeClient()
        let experiment = MLflowServer.unique("manta")
        let job = MLflowServer.unique("job")
        var seen: [[String?]] = []
        for _ in 0..<2 {
            seen.append(
                try await asDriver(of: job) {
                    try await Tracking.run(experiment: experiment) { outer in
                        let inner = try await Tracking.run(experiment: experiment) { $0.id }
                        return [outer.id, inner]
                    }
                })
        }
        #expect(seen[0] == seen[1])
        let child = try await client.run(id: try #require(seen[0][1]))
        #expect(child.tags["mlflow.parentRunId"] == seen[0][0])
    }

    @Test("MLFLOW_RUN_ID names the run to go on with")
    func givenRun() async throws {
        let client = try await makeClient()
        let existing = try await client.createRun(NewRun(experimentID: "0", name: "given"))
        let url = try await MLflowServer.shared().url
        let job = CurrentJob(
            environment: try DriverEnvironment([
                "MLFLOW_TRACKING_URI": url, "MLFLOW_RUN_ID": existing.id,
            ]), jobID: nil, script: "")
        let id = try await CurrentJob.$value.withValue(job) { try await Tracking.run { $0.id } }
        #expect(id == existing.id)
        #expect(try await client.run(id: existing.id).status == .finished)
    }
}

@Suite struct UnrecordedRunTests {
    @Test("Without a tracking server nothing fails, and models are written to a folder")
    func unrecorded() async throws {
        let job = CurrentJob(environment: try DriverEnvironment([:]), jobID: "j", script: "")
        let data = try makeClassification(samples: 40, seed: 2)
        let model = try RandomForestClassifier(trees: 2, seed: 5).fit(data, threads: 1)
        try await CurrentJob.$value.withValue(job) {
            #expect(!Tracking.isConfigured)
            try await Tracking.run(experiment: "none") { run in
                #expect(run.id == nil && run.url == nil)
                try await run.log(metric: "x", 1)
                try await run.log(dataset: data)
                try await run.log(text: "x", as: "x.txt")
            }
        }
        let folder = FileManager.default.temporaryDirectory.path + "/mr-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let written = try MLflowRun.writeLocally(model, name: "Forest", below: folder)
        #expect(written == folder + "/models/Forest")
        #expect(FileManager.default.fileExists(atPath: written + "/MLmodel"))
        #expect(throws: JobError.self) {
            try MLflowRun.writeLocally(model, name: "../out", below: folder)
        }
    }
}
