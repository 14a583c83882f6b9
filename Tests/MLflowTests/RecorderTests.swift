import TestSupport
import Testing

@testable import MLflow

/// Runs as a job records them, on the real server.
@Suite struct RecorderTests {
    @Test("What is logged arrives within moments, without a flush")
    func ticking() async throws {
        let client = try await realClient()
        var options = RunRecorder.Options()
        options.experiment = MLflowServer.unique("ticking")
        let recorder = RunRecorder(client, flushInterval: .milliseconds(50))
        let active = try await recorder.start(options)
        try await active.log(metric: "loss", 0.5, step: 3)
        let deadline = ContinuousClock.now + .seconds(20)
        while try await client.run(id: active.id).metrics.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await client.run(id: active.id).metrics.first?.step == 3)
        try await active.end()
    }

    @Test("A run ends with its work's ending, and all it logged is there")
    func endings() async throws {
        struct Broken: Error {}
        let client = try await realClient()
        let recorder = RunRecorder(client, flushInterval: .seconds(600))
        var options = RunRecorder.Options()
        options.experiment = MLflowServer.unique("endings")
        options.user = "ann"
        options.sourceName = "train.swift"
        let choices = options
        let finished = try await recorder.run(choices) { run in
            try await run.log(parameters: ["a": "1"])
            try await run.log(metrics: ["m": 1, "n": 2], step: 1)
            try await run.log(tags: ["t": "x"])
            return run.id
        }
        let run = try await client.run(id: finished)
        #expect(run.status == .finished && run.endTime != nil && run.parameters == ["a": "1"])
        #expect(run.metrics.count == 2 && run.tags["t"] == "x")
        #expect(run.tags["mlflow.source.type"] == "JOB" && run.tags["mlflow.user"] == "ann")
        #expect(run.tags["mlflow.source.name"] == "train.swift")

        await #expect(throws: Broken.self) {
            try await recorder.run(choices) { run in
                try await run.log(parameters: ["kept": "yes"])
                throw Broken()
            }
        }
        let failed = try await client.searchRuns(experimentIDs: [run.experimentID], limit: 1)
        #expect(failed.first?.status == .failed && failed.first?.parameters == ["kept": "yes"])
    }

    @Test("A cancelled run is killed, and what it logged is kept")
    func cancellation() async throws {
        let client = try await realClient()
        let recorder = RunRecorder(client, flushInterval: .seconds(600))
        var options = RunRecorder.Options()
        options.experiment = MLflowServer.unique("cancel")
        let choices = options
        let (started, starting) = AsyncStream<String>.makeStream()
        let task = Task {
            try await recorder.run(choices) { run in
                try await run.log(parameters: ["kept": "yes"])
                starting.yield(run.id)
                try await Task.sleep(for: .seconds(600))
            }
        }
        var ids = started.makeAsyncIterator()
        let id = try #require(await ids.next())
        task.cancel()
        _ = await task.result
        let run = try await client.run(id: id)
        #expect(run.status == .killed && run.parameters == ["kept": "yes"])
    }

    @Test("A configured run is gone on with; a nested one is a run of its own")
    func resuming() async throws {
        let first = try await realClient()
        let run = try await newRun(first)
        try await first.updateRun(run.id, status: .failed, endTime: 1)
        var configuration = first.configuration
        configuration.runID = run.id
        let recorder = RunRecorder(MLflowClient(configuration))
        let active = try await recorder.start()
        #expect(active.id == run.id)
        var options = RunRecorder.Options()
        options.parentRunID = active.id
        let nested = try await recorder.start(options)
        #expect(nested.id != run.id)
        #expect(nested.run.tags["mlflow.parentRunId"] == run.id)
        try await nested.end()
        try await active.end()
        #expect(try await first.run(id: run.id).status == .finished)
    }

    @Test("One refused parameter does not take the rest along, and is reported")
    func refusal() async throws {
        let client = try await realClient()
        let run = try await newRun(client)
        try await client.log(LogBatch(parameters: ["n": "1"]), run: run.id)
        let active = ActiveRun(run, client: client, effectKey: nil, interval: .seconds(600))
        try await active.log(
            LogBatch(
                metrics: [Metric(key: "m", value: 1, timestamp: 1)],
                parameters: ["n": "2", "other": "3"], tags: ["t": "u"]))
        #expect(await kind { try await active.flush() } == .parameterChanged)
        let stored = try await client.run(id: run.id)
        #expect(stored.parameters == ["n": "1", "other": "3"])
        #expect(stored.metrics.count == 1 && stored.tags["t"] == "u")

        // Refused while nobody asked: the next call says so, and its own values are kept.
        try await active.log(parameters: ["n": "3"])
        await active.tick()
        let deadline = ContinuousClock.now + .seconds(20)
        while await active.isSending, ContinuousClock.now < deadline { await Task.yield() }
        #expect(await kind { try await active.log(parameters: ["late": "4"]) } == .parameterChanged)
        try await active.end()
        #expect(try await client.run(id: run.id).parameters["late"] == "4")
        #expect(await kind { try await active.log(metric: "m", 2) } == .runEnded)
    }

    @Test("A parameter changed before it was sent is refused at once")
    func changedWhileWaiting() async throws {
        let client = try await realClient()
        let run = try await newRun(client)
        let active = ActiveRun(run, client: client, effectKey: nil, interval: .seconds(600))
        try await active.log(parameters: ["n": "1"])
        #expect(await kind { try await active.log(parameters: ["n": "2"]) } == .parameterChanged)
        #expect(await kind { try await active.log(metric: "a/../b", 2) } == .invalidValue)
        try await active.end()
    }

    @Test("Links lead to the pages of MLflow's UI")
    func links() async throws {
        var configuration = try MLflowConfiguration(
            trackingURI: "http://mlflow:5000/", publicURL: "https://ml.example.org/x/")
        #expect(configuration.trackingURI == "http://mlflow:5000")
        configuration.runID = nil
        let links = MLflowLinks(configuration)
        #expect(links.experiment("7") == "https://ml.example.org/x/#/experiments/7")
        let run = try WireRun(info: .init(runId: "abc", experimentId: "7")).run()
        #expect(links.run(run) == "https://ml.example.org/x/#/experiments/7/runs/abc")
        let version = try WireModelVersion(
            name: "My model", version: VersionText(text: "3")
        ).modelVersion()
        #expect(
            links.modelVersion(version) == "https://ml.example.org/x/#/models/My%20model/versions/3"
        )
    }
}
