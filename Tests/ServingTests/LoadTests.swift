import Foundation
import Synchronization
import Testing

@testable import Serving

/// Choosing, loading, swapping and remembering models.
@Suite struct LoadTests {
    static let row = #"{"features": [[1, 2]]}"#

    @Test("An empty load takes the only model, or the example's, or says what there is")
    func choosing() async throws {
        let folder = try TemporaryFolder()
        try await RunningGateway.with(folder, load: nil) { gateway in
            let nothing = try await gateway.call("POST", "/model/load")
            #expect(nothing.status == 404 && nothing.text.contains("job submit"))
            try folder.add(TestModels.constant(1), as: "Iris", version: 1)
            #expect(try await gateway.call("POST", "/model/load", body: "{}").status == 200)
            try folder.add(TestModels.constant(2), as: "Wine", version: 1)
            let several = try await gateway.call("POST", "/model/load")
            #expect(several.status == 409)
            #expect(several.text.contains("Iris, Wine"))
            #expect(
                (several.json()?["hint"] as? String)?.hasSuffix(#"-d '{"name":"Iris"}'"#) == true)
            try folder.add(
                TestModels.constant(3), as: ModelResolver.exampleModel, version: 1)
            let example = try await gateway.call("POST", "/model/load")
            let info = example.json()?["model_info"] as? [String: Any]
            #expect(info?["name"] as? String == ModelResolver.exampleModel)
        }
    }

    @Test("The configured model is what an empty load means, and what a new gateway loads itself")
    func configured() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        try folder.add(TestModels.constant(2), as: "Wine", version: 1)
        try folder.add(TestModels.constant(3), as: "Wine", version: 2)
        try await RunningGateway.with(folder, load: nil) {
            $0.defaultModel = ModelSelector(name: "Wine", version: "1")
        } _: { gateway in
            try await Self.waitUntilReady(gateway)
            #expect(try await gateway.predict(Self.row).text.contains("[2.0]"))
            let reply = try await gateway.call("POST", "/model/load", body: #"{"name": "Wine"}"#)
            #expect(reply.text.contains(#""version":"2""#))
        }
    }

    static func waitUntilReady(_ gateway: RunningGateway) async throws {
        for _ in 0..<1_000 {
            if try await gateway.call("GET", "/readyz").status == 200 { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("not ready after twenty seconds")
    }

    @Test(
        "What cannot be found or is not a selector says what to do",
        arguments: [
            (#"{"name": "Irsi"}"#, 404, "nearest: Iris"),
            (#"{"name": "Iris", "version": 9}"#, 404, "existing: 2, 1"),
            (#"{"name": "Iris", "alias": "champion"}"#, 404, "no alias 'champion'"),
            (#"{"nmae": "Iris"}"#, 422, "did you mean 'name'?"),
            (#"{"name": 3}"#, 422, "string_type"),
            (#"{"name": "Iris", "version": 1.5}"#, 422, "int_type"),
            (#"{"name": "Iris", "version": "0"}"#, 422, "whole number"),
            (#"{"version": 1, "alias": "a", "name": "Iris"}"#, 422, "not both"),
            (#"{"uri": "runs:/abc/model"}"#, 422, "models:/Name/3"),
            (#"{"uri": "models:/Iris/../../etc"}"#, 422, "whole number"),
            (#"{"name": "../../etc"}"#, 404, "no registered model"),
            (#"[1]"#, 422, "model_attributes_type"),
            (#"{"name": }"#, 422, "json_invalid"),
        ])
    func refusals(_ body: String, _ status: Int, _ text: String) async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        try folder.add(TestModels.constant(2), as: "Iris", version: 2)
        try await RunningGateway.with(folder) { gateway in
            let reply = try await gateway.call("POST", "/model/load", body: body)
            #expect(reply.status == status, "\(reply.text)")
            #expect(reply.text.contains(text), "\(reply.text)")
            #expect(try await gateway.predict(Self.row).status == 200)
        }
    }

    @Test("A model URI names a version")
    func uri() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        try folder.add(TestModels.constant(2), as: "Iris", version: 2)
        try await RunningGateway.with(folder, load: ModelSelector(uri: "models:/Iris/1")) {
            #expect(try await $0.predict(Self.row).text.contains("[1.0]"))
            _ = try await $0.call("POST", "/model/load", body: #"{"uri": "models:/Iris/latest"}"#)
            #expect(try await $0.predict(Self.row).text.contains("[2.0]"))
        }
    }

    @Test("A damaged model is refused, and the one before goes on answering")
    func damaged() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        try folder.add(TestModels.constant(2), as: "Iris", version: 2)
        let path = folder.path + "/Iris/2/manta/model.manta"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count / 2] ^= 0x10
        try bytes.write(to: URL(fileURLWithPath: path))
        try await RunningGateway.with(folder, load: ModelSelector(name: "Iris", version: "1")) {
            let reply = try await $0.call("POST", "/model/load")
            #expect(reply.status == 422, "\(reply.text)")
            #expect(reply.text.contains("model.manta"))
            #expect(try await $0.predict(Self.row).text.contains("[1.0]"))
            #expect(
                try await $0.call("GET", "/metrics").text.contains(
                    #"manta_model_loads_total{outcome="failed"} 1"#))
        }
    }

    @Test("Two hundred swaps under sixteen connections: no failure, no reply of two versions")
    func swaps() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        try folder.add(TestModels.constant(2), as: "Iris", version: 2)
        let state = try TemporaryFolder()
        try await RunningGateway.with(folder, load: ModelSelector(name: "Iris", version: "1")) {
            $0.stateDirectory = state.path
        } _: { gateway in
            let counts = try await Self.swapUnderLoad(gateway, swapCount: 200, clientCount: 16)
            #expect(Set(counts.keys) == ["1", "2"], "\(counts)")
            #expect(counts.values.reduce(0, +) > 200)
        }
    }

    /// What sixteen clients met, while the two versions were loaded in turn.
    final class Tally: Sendable {
        private let state = Mutex((isDone: false, counts: [String: Int]()))
        var isDone: Bool { state.withLock { $0.isDone } }
        var counts: [String: Int] { state.withLock { $0.counts } }
        func finish() { state.withLock { $0.isDone = true } }
        func count(_ kind: String) { state.withLock { $0.counts[kind, default: 0] += 1 } }
    }

    static func swapUnderLoad(
        _ gateway: RunningGateway, swapCount: Int, clientCount: Int
    ) async throws -> [String: Int] {
        let tally = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<clientCount {
                group.addTask {
                    let client = try gateway.client()
                    while !tally.isDone {
                        let reply = try await client.call("POST", "/predict", body: row)
                        tally.count(consistentVersion(of: reply))
                    }
                }
            }
            group.addTask {
                defer { tally.finish() }
                for round in 0..<swapCount {
                    _ = try await gateway.gateway.load(
                        ModelSelector(name: "Iris", version: String(round % 2 + 1)))
                }
            }
            try await group.waitForAll()
        }
        return tally.counts
    }

    /// The version whose answer the reply holds, or what is wrong with it.
    static func consistentVersion(of reply: RawClient.Reply) -> String {
        guard reply.status == 200 else { return "status \(reply.status): \(reply.text)" }
        for version in ["1", "2"] {
            let isWhole =
                reply.text.contains("\"predictions\":[\(version).0]")
                && reply.text.contains("\"model_version\":\"\(version)\"")
            if isWhole { return version }
        }
        return "mixed: \(reply.text)"
    }

    @Test("A restarted gateway serves its last model from its own disk, without the registry")
    func coldStart() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        try folder.add(TestModels.constant(2), as: "Iris", version: 2)
        let state = try TemporaryFolder()
        try await RunningGateway.with(folder, load: ModelSelector(name: "Iris", version: "1")) {
            $0.stateDirectory = state.path
        } _: { _ in
        }
        try FileManager.default.removeItem(atPath: folder.path + "/Iris")
        try await RunningGateway.with(folder, load: nil) {
            $0.stateDirectory = state.path
        } _: { gateway in
            try await Self.waitUntilReady(gateway)
            #expect(try await gateway.predict(Self.row).text.contains(#""model_version":"1""#))
            #expect(try await gateway.call("POST", "/model/load").status == 404)
            let unloaded = try await gateway.call(
                "POST", "/serve", body: #"{"action": "unload"}"#)
            #expect(unloaded.status == 200)
            #expect(try await gateway.predict(Self.row).status == 503)
        }
        try await RunningGateway.with(folder, load: nil) {
            $0.stateDirectory = state.path
        } _: { gateway in
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await gateway.call("GET", "/readyz").status == 503)
        }
    }

    @Test("A damaged cache entry is fetched anew")
    func damagedCache() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        let state = try TemporaryFolder()
        try await RunningGateway.with(folder) {
            $0.stateDirectory = state.path
        } _: { gateway in
            let entries = try FileManager.default.contentsOfDirectory(
                atPath: state.path + "/models")
            let entry = try #require(entries.first)
            try Data("nothing".utf8).write(
                to: URL(fileURLWithPath: state.path + "/models/\(entry)/manta/model.manta"))
            #expect(try await gateway.call("POST", "/model/load").status == 200)
            #expect(try await gateway.predict(Self.row).status == 200)
        }
    }

    @Test("Requests in flight at the end are answered, and readiness says no at once")
    func shutdown() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        let gateway = try await RunningGateway(source: DirectoryModelSource(root: folder.path)) {
            $0.limits.settleTime = .seconds(2)
        }
        _ = try await gateway.gateway.load(ModelSelector())
        let slow = try gateway.client()
        try await slow.send(
            "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                + "\(Self.row.utf8.count)\r\n\r\n")
        try await Task.sleep(for: .milliseconds(50))
        gateway.gateway.stop()
        let ready = try await gateway.call("GET", "/readyz")
        #expect(ready.status == 503 && ready.text.contains("draining"))
        #expect(ready.headers["connection"] == "close")
        let last = try await gateway.predict(Self.row)
        #expect(last.status == 200)
        try await Task.sleep(for: .milliseconds(2_300))
        try await slow.send(Self.row)
        #expect(try await slow.reply().status == 200)
        try await gateway.stop()
    }
}
