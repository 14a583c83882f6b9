import TestSupport
import Testing

@testable import MLflow

/// Experiments and runs on the real server.
@Suite struct RunTests {
    @Test("Sixteen who ask at once for a new experiment get the same one")
    func experimentRace() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("race")
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 {
                group.addTask { try await client.experiment(named: name).id }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test("A deleted experiment is named as such")
    func deletedExperiment() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("deleted")
        let experiment = try await client.experiment(named: name)
        struct Body: Encodable { let experimentId: String }
        try await client.tracking.perform(
            .post(
                "mlflow/experiments/delete", Body(experimentId: experiment.id), to: "delete", name))
        #expect(await kind { try await client.experiment(named: name) } == .deleted)
    }

    @Test(
        "Names that MLflow's paths and filters would trip over work",
        arguments: ["a/b c?d", "ä'\"%"])
    func strangeNames(_ suffix: String) async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("strange") + suffix
        let made = try await client.experiment(named: name)
        #expect(made.name == name)
        #expect(try await client.experiment(named: name) == made)
    }

    @Test("What is logged is what the run has")
    func wholeLife() async throws {
        let client = try await realClient()
        let experiment = try await client.experiment(named: MLflowServer.unique("life"))
        let run = try await client.createRun(
            NewRun(
                experimentID: experiment.id, name: "first", user: "ann",
                tags: ["mlflow.source.type": "JOB"]))
        #expect(run.status == .running && run.name == "first" && run.startTime ?? 0 > 0)
        let batch = LogBatch(
            metrics: [
                Metric(key: "loss", value: 0.5, timestamp: 1, step: 0),
                Metric(key: "loss", value: 0.25, timestamp: 2, step: 1),
                Metric(key: "odd", value: .nan, timestamp: 3),
                Metric(key: "huge", value: .infinity, timestamp: 3),
                Metric(key: "tiny", value: -.infinity, timestamp: 3),
                Metric(key: "system/cpu_utilization_percentage", value: 1e-300, timestamp: 3),
            ], parameters: ["n": "75", "empty": "", "text": "a \"quoted\" ü\nline"],
            tags: ["note": "hello"])
        try await client.log(batch, run: run.id)
        try await client.log(batch, run: run.id)
        try await client.logInputs(
            [
                DatasetInput(
                    name: "iris", digest: "52173b19", sourceType: "local",
                    source: #"{"uri": "iris.csv"}"#, profile: #"{"num_rows": 150}"#,
                    context: "training")
            ], run: run.id)
        try await client.updateRun(run.id, status: .finished, endTime: 99)

        let stored = try await client.run(id: run.id)
        #expect(stored.status == .finished && stored.endTime == 99)
        #expect(stored.parameters == batch.parameters)
        #expect(stored.tags["note"] == "hello" && stored.tags["mlflow.user"] == "ann")
        let values = Dictionary(uniqueKeysWithValues: stored.metrics.map { ($0.key, $0.value) })
        #expect(values["loss"] == 0.25 && values["odd"]?.isNaN == true)
        #expect(values["huge"] == .greatestFiniteMagnitude)
        #expect(values["tiny"] == -.greatestFiniteMagnitude)
        #expect(values["system/cpu_utilization_percentage"] == 1e-300)
        #expect(stored.inputs.first?.context == "training")
        #expect(stored.inputs.first?.profile == #"{"num_rows": 150}"#)
        let history = try await client.metricHistory(of: "loss", run: run.id)
        #expect(history.map(\.step) == [0, 1] && history.map(\.value) == [0.5, 0.25])
    }

    @Test("A changed parameter is an error of its own, and the first value stands")
    func changedParameter() async throws {
        let client = try await realClient()
        let run = try await newRun(client)
        try await client.log(LogBatch(parameters: ["n": "1"]), run: run.id)
        try await client.log(LogBatch(parameters: ["n": "1"]), run: run.id)
        #expect(
            await kind { try await client.log(LogBatch(parameters: ["n": "2"]), run: run.id) }
                == .parameterChanged)
        #expect(try await client.run(id: run.id).parameters == ["n": "1"])
    }

    @Test("Batches beyond the server's limits arrive whole")
    func largeBatch() async throws {
        let client = try await realClient()
        let run = try await newRun(client)
        var batch = LogBatch()
        for index in 0..<2500 {
            batch.metrics.append(
                Metric(key: "m", value: Double(index), timestamp: 1, step: Int64(index)))
        }
        let long = String(repeating: "\u{1}", count: 6000)
        for index in 0..<150 { batch.parameters["p\(index)"] = index < 40 ? long : "\(index)" }
        for index in 0..<120 { batch.tags["t\(index)"] = "\(index)" }
        try await client.log(batch, run: run.id)
        let stored = try await client.run(id: run.id)
        #expect(stored.parameters == batch.parameters)
        #expect(batch.tags.allSatisfy { stored.tags[$0.key] == $0.value })
        #expect(try await client.metricHistory(of: "m", run: run.id).count == 2500)
    }

    @Test("One effect key makes one run, also for sixteen at once and for a new client")
    func effectOnce() async throws {
        let client = try await realClient()
        let experiment = try await client.experiment(named: MLflowServer.unique("effect"))
        let new = NewRun(experimentID: experiment.id)
        let key = "job 1/'train'/\"ü\"%"
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 {
                group.addTask { try await client.createRun(new, effectKey: key).id }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        let again = try await realClient().createRun(new, effectKey: key)
        #expect(ids == [again.id])
        #expect(try await client.createRun(new, effectKey: key + "2").id != again.id)
        #expect(try await client.createRun(new).id != again.id)
        #expect(try await client.searchRuns(experimentIDs: [experiment.id]).count == 3)
    }

    @Test("A search pages through all results, up to its limit")
    func paging() async throws {
        let client = try await realClient()
        let experiment = try await client.experiment(named: MLflowServer.unique("paging"))
        for _ in 0..<5 { _ = try await client.createRun(NewRun(experimentID: experiment.id)) }
        let all = try await client.collect(limit: 100, pageSize: 2) {
            count, token throws(MLflowError) in
            try await page(of: client, experiment.id, count, token)
        }
        #expect(Set(all).count == 5)
        let some = try await client.collect(limit: 3, pageSize: 2) {
            count, token throws(MLflowError) in
            try await page(of: client, experiment.id, count, token)
        }
        #expect(some.count == 3)
    }

    private func page(
        of client: MLflowClient, _ experiment: String, _ count: Int, _ token: String?
    ) async throws(MLflowError) -> MLflowClient.Page<String> {
        struct Body: Encodable {
            let experimentIds: [String]
            let maxResults: Int
            let pageToken: String?
        }
        struct Answer: Decodable {
            var runs: [WireRun]?
            var nextPageToken: String?
        }
        let answer = try await client.tracking.perform(
            .post(
                "mlflow/runs/search",
                Body(experimentIds: [experiment], maxResults: count, pageToken: token),
                to: "search", experiment), as: Answer.self)
        return .init(
            values: (answer.runs ?? []).compactMap { $0.info?.runId }, token: answer.nextPageToken)
    }

    @Test("What does not exist is not found, and says so")
    func missing() async throws {
        let client = try await realClient()
        let id = String(repeating: "0", count: 32)
        #expect(await kind { try await client.run(id: id) } == .notFound)
        #expect(await kind { try await client.loggedModel(id: "m-" + id) } == .notFound)
        #expect(await kind { try await client.modelVersion(named: "x", version: "1") } == .notFound)
        #expect(await kind { try await client.modelVersion(named: "x", version: "a") } == .notFound)
        #expect(try await client.findExperiment(named: MLflowServer.unique("none")) == nil)
        #expect(try await client.latestVersion(of: MLflowServer.unique("none")) == nil)
    }
}
