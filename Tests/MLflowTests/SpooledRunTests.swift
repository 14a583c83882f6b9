import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MLflow

/// A proxy in front of the shared real server that the test breaks.
final class BreakableServer: Sendable {
    enum Mood: Sendable {
        case up
        /// Closes without having passed the request on.
        case away
        /// Passes it on, and closes before the answer.
        case cutsReplies
    }

    private let mood: Mutex<Mood>
    let server: TestHTTPServer

    /// - Parameter path: the requests whose answers are cut.
    init(_ initial: Mood = .up, cutting path: String = "") async throws {
        let port = try await MLflowServer.shared().port
        mood = Mutex(initial)
        let box = Box()
        server = try TestHTTPServer { request in
            switch box.mood() {
            case .up: TestHTTPServer.forward(request, toPort: port)
            case .away: .init([.close])
            case .cutsReplies:
                if request.path.hasSuffix(path) {
                    BreakableServer.cut(TestHTTPServer.forward(request, toPort: port))
                } else {
                    TestHTTPServer.forward(request, toPort: port)
                }
            }
        }
        box.server.withLock { $0 = self }
    }

    private static func cut(_ reply: TestHTTPServer.Reply) -> TestHTTPServer.Reply {
        .init([.reset])
    }

    private final class Box: Sendable {
        let server = Mutex<BreakableServer?>(nil)
        func mood() -> Mood { server.withLock { $0 }?.mood.withLock { $0 } ?? .away }
    }

    func become(_ new: Mood) { mood.withLock { $0 = new } }

    func configuration() throws -> MLflowConfiguration { try quickConfiguration(server.url) }

    func count(of path: String) -> Int {
        server.requests.count { $0.path.hasSuffix(path) }
    }
}

@Suite(.timeLimit(.minutes(5))) struct SpooledRunTests {
    private func recorder(
        _ configuration: MLflowConfiguration, _ folder: String,
        budget: SpoolBudget = SpoolBudget(), interval: Duration = .milliseconds(50)
    ) -> SpooledRecorder {
        SpooledRecorder(
            configuration, folder: folder, budget: budget, health: ServerHealth(),
            interval: interval)
    }

    private func options(_ name: String) -> RunRecorder.Options {
        var options = RunRecorder.Options()
        options.experiment = name
        options.name = "the run"
        return options
    }

    private func eventually(
        _ what: String, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, "never: \(what)")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func runs(_ client: MLflowClient, _ name: String) async throws -> [Run] {
        guard let experiment = try await client.findExperiment(named: name) else { return [] }
        return try await client.searchRuns(experimentIDs: [experiment.id])
    }

    @Test("With a healthy server the id is known at once, and values arrive within moments")
    func healthy() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("healthy")
        try await withFolder { folder in
            let run = try await recorder(client.configuration, folder).start(
                options(name), effectKey: name)
            let id = try #require(run.run?.id)
            try await run.log(metrics: ["loss": 0.5], step: 3)
            try await eventually("the value arrives") {
                try await client.run(id: id).metrics.first?.step == 3
            }
            try await run.log(parameters: ["n": "1"])
            #expect(await kind { try await run.log(parameters: ["n": "2"]) } == .parameterChanged)
            try await run.end()
            let stored = try await client.run(id: id)
            #expect(stored.status == .finished && stored.parameters == ["n": "1"])
            #expect(stored.name == "the run" && stored.tags["mlflow.source.type"] == "JOB")
            #expect(await run.backlog == SpoolBacklog())
            #expect(await kind { try await run.log(metrics: ["m": 2]) } == .runEnded)
        }
    }

    @Test("A server that is away from the beginning gets everything once when it comes")
    func awayFromTheBeginning() async throws {
        let server = try await BreakableServer(.away)
        let client = try await realClient()
        let name = MLflowServer.unique("away")
        try await withFolder { folder in
            let run = try await recorder(try server.configuration(), folder).start(
                options(name), effectKey: name)
            #expect(run.run == nil && run.link == nil)
            for step in 0..<2_500 {
                try await run.log(metrics: ["loss": Double(step)], step: Int64(step))
            }
            try await run.log(parameters: ["n": "1"])
            try await run.log(tags: ["t": "x"])
            try await run.logArtifact(bytes: Array("hello".utf8), as: "notes/a.txt")
            let model = try #require(try await logModel(run, below: folder))
            #expect(model.uri == "pending:model")
            #expect(try await run.register(model, as: name, aliases: ["champion"]) == nil)
            try await run.end()
            // 2,500 values, a parameter, a tag, the beginning, the end, a file, a model, a version.
            #expect(await run.backlog.waitingCount == 2_507)
            #expect(await run.backlog.lastError?.isEmpty == false)
            server.become(.up)
            #expect(await run.settle(within: .seconds(60)))
            let stored = try #require(try await runs(client, name).first)
            #expect(try await runs(client, name).count == 1)
            #expect(stored.status == .finished && stored.parameters == ["n": "1"])
            #expect(stored.tags["t"] == "x" && stored.tags["manta.effect"] == name)
            let steps = try await client.metricHistory(of: "loss", run: stored.id).map(\.step)
            #expect(steps.sorted() == Array(0..<2_500))
            try await checkModel(client, name, stored, folder)
            #expect(await run.backlog.waitingCount == 0)
            #expect(run.run?.id == stored.id)
        }
    }

    private func logModel(_ run: SpooledRun, below folder: String) async throws -> SpooledRun.Model?
    {
        try await run.logModel(NewLoggedModel(name: "model", modelType: "classifier")) { info in
            let directory = folder + "/written"
            try write(
                "artifact_path: \"\(info.artifactPath)\"\nmodel_id: \"\(info.modelID ?? "")\"\n"
                    + "run_id: \"\(info.runID)\"\n", to: directory + "/MLmodel")
            try write("weights", to: directory + "/data/model.bin")
            return directory
        }
    }

    private func checkModel(
        _ client: MLflowClient, _ name: String, _ run: Run, _ folder: String
    ) async throws {
        let versions = try await client.searchModelVersions(named: name)
        #expect(versions.map(\.version) == ["1"] && versions.first?.runID == run.id)
        let champion = try await client.modelVersion(named: name, alias: "champion")
        let models = try await client.searchLoggedModels(experimentID: run.experimentID)
        #expect(models.count == 1 && models.first?.status == .ready)
        #expect(run.modelIDs == models.compactMap(\.id))
        try await client.downloadModel(champion, to: folder + "/loaded")
        let text = try String(contentsOfFile: folder + "/loaded/MLmodel", encoding: .utf8)
        #expect(text.contains(run.id) && text.contains(models.first?.id ?? "none"))
        #expect(!text.contains("spooled"))
        let weights = try String(
            contentsOfFile: folder + "/loaded/data/model.bin", encoding: .utf8)
        #expect(weights == "weights")
        let files = try await client.listArtifacts(of: try #require(run.artifactURI))
        #expect(files.contains { $0.path.text == "notes" })
    }

    @Test("A call whose answer is cut off after it was taken is not made twice")
    func cutReply() async throws {
        let server = try await BreakableServer(.up, cutting: "runs/log-batch")
        let client = try await realClient()
        let name = MLflowServer.unique("cut")
        try await withFolder { folder in
            var configuration = try server.configuration()
            configuration.retriesMax = 0
            let run = try await recorder(configuration, folder, interval: .seconds(600)).start(
                options(name), effectKey: name)
            server.become(.cutsReplies)
            for step in 0..<50 {
                try await run.log(
                    metrics: ["a": Double(step), "b": .nan, "c": .infinity], step: Int64(step))
            }
            try await run.flush()
            #expect(await run.backlog.waitingCount == 150)
            #expect(server.count(of: "runs/log-batch") == 1)
            server.become(.up)
            try await run.flush()
            #expect(await run.backlog.waitingCount == 0)
            // It was asked for, and found to be there.
            #expect(server.count(of: "metrics/get-history") == 3)
            #expect(server.count(of: "runs/log-batch") == 1)
            let id = try #require(run.run?.id)
            for key in ["a", "b", "c"] {
                let history = try await client.metricHistory(of: key, run: id)
                #expect(history.map(\.step).sorted() == Array(0..<50))
            }
            try await run.end()
        }
    }

    @Test("A run whose creation was answered to nobody is found, and not created again")
    func cutCreation() async throws {
        let server = try await BreakableServer(.cutsReplies, cutting: "runs/create")
        let client = try await realClient()
        let name = MLflowServer.unique("created")
        try await withFolder { folder in
            let run = try await recorder(try server.configuration(), folder).start(
                options(name), effectKey: name)
            server.become(.up)
            try await run.end()
            #expect(await run.settle(within: .seconds(30)))
            #expect(try await runs(client, name).map(\.status) == [.finished])
        }
    }

    @Test("What the server refuses is told, and takes nothing along")
    func refusal() async throws {
        let server = try await BreakableServer()
        let client = try await realClient()
        let existing = try await newRun(client)
        try await client.log(LogBatch(parameters: ["n": "1"]), run: existing.id)
        try await withFolder { folder in
            var configuration = try server.configuration()
            configuration.runID = existing.id
            let run = try await recorder(configuration, folder, interval: .seconds(600)).start(
                RunRecorder.Options(), effectKey: existing.id)
            #expect(run.run?.id == existing.id)
            try await run.log(metrics: ["m": 1])
            try await run.log(parameters: ["n": "2", "other": "3"])
            try await run.log(tags: ["t": "u"])
            #expect(await kind { try await run.flush() } == .parameterChanged)
            let stored = try await client.run(id: existing.id)
            #expect(stored.parameters == ["n": "1", "other": "3"])
            #expect(stored.metrics.count == 1 && stored.tags["t"] == "u")
            #expect(await run.backlog.refusedCount == 1)
            try await run.end()
            #expect(try await client.run(id: existing.id).status == .finished)
        }
    }

    @Test("What is the user's mistake is told at the start, and leaves nothing behind")
    func mistakes() async throws {
        let client = try await realClient()
        try await withFolder { folder in
            let recorder = recorder(client.configuration, folder)
            #expect(
                await kind { try await recorder.start(options(""), effectKey: "k") }
                    == .invalidValue)
            var configuration = client.configuration
            configuration.runID = String(repeating: "0", count: 32)
            let resuming = self.recorder(configuration, folder)
            #expect(
                await kind { try await resuming.start(RunRecorder.Options(), effectKey: "k") }
                    == .notFound)
            #expect(SpoolFolder.runs(in: folder).isEmpty)
        }
    }

    @Test("A full spool drops the oldest values, keeps the rest, and says how many")
    func full() async throws {
        let server = try await BreakableServer(.away)
        let client = try await realClient()
        let name = MLflowServer.unique("full")
        try await withFolder { folder in
            let run = try await recorder(
                try server.configuration(), folder, budget: SpoolBudget(limit: 200_000)
            ).start(options(name), effectKey: name)
            for step in 0..<3_000 {
                try await run.log(metrics: ["loss": Double(step)], step: Int64(step))
            }
            try await run.log(parameters: ["kept": "yes"])
            let tooLarge = [UInt8](repeating: 65, count: 300_000)
            #expect(try await !run.logArtifact(bytes: tooLarge, as: "large.bin"))
            try await run.end()
            let dropped = await run.backlog.droppedCount
            #expect(dropped > 0 && LocalFiles.size(below: folder) < 400_000)
            server.become(.up)
            #expect(await run.settle(within: .seconds(60)))
            let stored = try #require(try await runs(client, name).first)
            let steps = try await client.metricHistory(of: "loss", run: stored.id).map(\.step)
            #expect(steps.count == 3_000 - dropped && steps.max() == 2_999)
            #expect(Set(steps).count == steps.count && stored.parameters == ["kept": "yes"])
            #expect(stored.tags["manta.metrics_dropped"] == String(dropped))
        }
    }

    @Test("A run inside one that waits finds it when both are sent")
    func nested() async throws {
        let server = try await BreakableServer(.away)
        let client = try await realClient()
        let name = MLflowServer.unique("nested")
        try await withFolder { folder in
            let recorder = recorder(try server.configuration(), folder)
            let outer = try await recorder.start(options(name), effectKey: name + "/1")
            let inner = try await recorder.start(
                options(name), effectKey: name + "/2", parent: outer.asParent)
            try await inner.end()
            try await outer.end()
            server.become(.up)
            #expect(await outer.settle(within: .seconds(60)))
            #expect(await inner.settle(within: .seconds(60)))
            let child = try await client.run(id: try #require(inner.run?.id))
            #expect(child.tags["mlflow.parentRunId"] == outer.run?.id)
        }
    }
}
