import Foundation
import TestSupport
import Testing

@testable import MLflow

/// What is done with the spools of processes that are gone.
@Suite(.timeLimit(.minutes(10))) struct SpoolReplayTests {
    /// A spool as a killed process leaves it.
    private func leave(
        _ entries: [SpoolEntry], in folder: String, for url: String, _ name: String
    ) throws -> String {
        let path = SpoolFolder.newRun(in: folder, at: 1_700_000_000_000)
        let file = try SpoolFile.make(in: path)
        try file.append(
            .fact(
                number: 1, time: 1,
                .begin(
                    SpoolBeginning(
                        trackingURI: url, experimentName: name, name: "left", effectKey: name,
                        startTime: 1_700_000_000_000))))
        for entry in entries { try file.append(entry) }
        return path
    }

    private func values(_ steps: Range<Int64>) -> SpoolFact {
        .batch(
            LogBatch(
                metrics: steps.map {
                    Metric(key: "m", value: Double($0), timestamp: 1_700_000_000_000, step: $0)
                }))
    }

    private func runs(_ client: MLflowClient, _ name: String) async throws -> [Run] {
        guard let experiment = try await client.findExperiment(named: name) else { return [] }
        return try await client.searchRuns(experimentIDs: [experiment.id])
    }

    @Test("A run whose process was killed is told so, with all it had said, and once")
    func killed() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("killed")
        try await withFolder { folder in
            let path = try leave(
                [.fact(number: 2, time: 1, values(0..<5))], in: folder,
                for: client.configuration.trackingURI, name)
            let replay = SpoolReplay(client.configuration)
            // While its job may go on elsewhere, nothing is said of its end.
            let first = await replay.replay(folder, ending: nil)
            #expect(first.map(\.isDone) == [false] && first.first?.backlog.waitingCount == 0)
            #expect(try await runs(client, name).map(\.status) == [.running])
            let second = await replay.replay(folder, ending: .killed)
            #expect(second.map(\.isDone) == [true])
            let stored = try #require(try await runs(client, name).first)
            #expect(stored.status == .killed && stored.startTime == 1_700_000_000_000)
            #expect(stored.endTime != nil)
            #expect(try await client.metricHistory(of: "m", run: stored.id).count == 5)
            // The same again, and as one run's folder, changes nothing.
            #expect(await replay.replay(path, ending: .failed).map(\.isDone) == [true])
            #expect(try await runs(client, name).map(\.status) == [.killed])
        }
    }

    @Test("A run that a restarted driver has ended stays as it ended")
    func endedElsewhere() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("elsewhere")
        try await withFolder { folder in
            _ = try leave([], in: folder, for: client.configuration.trackingURI, name)
            let replay = SpoolReplay(client.configuration)
            _ = await replay.replay(folder, ending: nil)
            let run = try #require(try await runs(client, name).first)
            try await client.updateRun(run.id, status: .finished, endTime: 5)
            #expect(await replay.replay(folder, ending: .failed).map(\.isDone) == [true])
            let stored = try await client.run(id: run.id)
            #expect(stored.status == .finished && stored.endTime == 5)
        }
    }

    @Test("A batch that was on its way when its process was killed is sent as far as it is missing")
    func halfway() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("halfway")
        try await withFolder { folder in
            let experiment = try await client.experiment(named: name)
            let run = try await client.createRun(
                NewRun(experimentID: experiment.id), effectKey: name)
            guard case .batch(let first) = values(0..<3) else { return }
            try await client.log(first, run: run.id)
            _ = try leave(
                [
                    .done(through: 1, .run(SpoolRun(run))),
                    .fact(number: 2, time: 1, values(0..<3)),
                    .fact(number: 3, time: 1, values(3..<6)),
                    .sending(through: 3),
                ], in: folder, for: client.configuration.trackingURI, name)
            #expect(
                await SpoolReplay(client.configuration).replay(folder, ending: .killed)
                    .map(\.isDone) == [true])
            let history = try await client.metricHistory(of: "m", run: run.id)
            #expect(history.map(\.step).sorted() == Array(0..<6))
        }
    }

    @Test("Runs of another server are left alone, and one that lives is left to itself")
    func notOurs() async throws {
        let client = try await realClient()
        try await withFolder { folder in
            let path = try leave([], in: folder, for: "http://elsewhere:5000", "n")
            let report = await SpoolReplay(client.configuration).replay(folder, ending: .killed)
            #expect(report.map(\.isDone) == [false])
            #expect(report.first?.backlog.lastError?.contains("http://elsewhere:5000") == true)
            let file = try #require(try SpoolFile.open(in: path))
            let held = await SpoolReplay(client.configuration).replay(folder, ending: .killed)
            #expect(held.map(\.isHeld) == [true] && file.state.isEnded)
        }
    }

    @Test("A process that was killed before it said anything leaves nothing to do")
    func nothingSaid() async throws {
        let client = try await realClient()
        try await withFolder { folder in
            _ = try SpoolFile.make(in: SpoolFolder.newRun(in: folder, at: 1))
            let report = await SpoolReplay(client.configuration).replay(folder, ending: .killed)
            #expect(report.map(\.isDone) == [true])
        }
    }

    @Test("A real server that is stopped in the middle and started again has every value once")
    func stoppedServer() async throws {
        let place = try MLflowServer.Place.free()
        defer { place.remove() }
        let first = try await MLflowServer.start(at: place)
        let configuration = try quickConfiguration(place.url)
        let client = MLflowClient(configuration)
        try await withFolder { folder in
            let recorder = SpooledRecorder(
                configuration, folder: folder, budget: SpoolBudget(), health: ServerHealth(),
                interval: .milliseconds(20))
            var options = RunRecorder.Options()
            options.experiment = "stopped"
            let run = try await recorder.start(options, effectKey: "stopped")
            let id = try #require(run.run?.id)
            async let stopping: Void = {
                try? await Task.sleep(for: .milliseconds(300))
                await first.stop()
            }()
            // Said while the server runs, dies, and is gone.
            for step in 0..<4_000 {
                try await run.log(metrics: ["m": Double(step)], step: Int64(step))
                if step % 10 == 0 { try await Task.sleep(for: .milliseconds(2)) }
            }
            await stopping
            try await run.log(metrics: ["m": 4_000], step: 4_000)
            try await run.end()
            #expect(await run.backlog.waitingCount > 0)
            let second = try await MLflowServer.start(at: place)
            #expect(await run.settle(within: .seconds(60)))
            let steps = try await client.metricHistory(of: "m", run: id).map(\.step)
            #expect(steps.sorted() == Array(0...4_000))
            #expect(try await client.run(id: id).status == .finished)
            await second.stop()
        }
    }
}
