import DecisionForests
import Foundation
import Testing

@testable import Serving

/// What the replies hold: labels, bytes, bounds.
@Suite struct PredictionTests {
    @Test("Integer labels stay integers, string labels strings")
    func labels() async throws {
        let folder = try TemporaryFolder()
        let names: [ClassLabel] = [.string("no \"way\""), .string("yés")]
        try folder.add(TestModels.classifier(classes: names), as: "Named", version: 1)
        let numbers: [ClassLabel] = [.integer(-7), .integer(9_007_199_254_740_993)]
        try folder.add(TestModels.classifier(classes: numbers), as: "Numbered", version: 1)
        let body = #"{"features": [[0.2, 1, 2], [0.9, 1, 2]]}"#
        try await RunningGateway.with(folder, load: ModelSelector(name: "Named")) { gateway in
            let named = try await gateway.predict(body)
            #expect(named.text.hasPrefix(#"{"predictions":["no \"way\"","yés"],"#))
            _ = try await gateway.gateway.load(ModelSelector(name: "Numbered"))
            let numbered = try await gateway.predict(body)
            #expect(numbered.text.hasPrefix(#"{"predictions":[-7,9007199254740993],"#))
        }
    }

    @Test("A row's answer has the same bytes alone, among thousands, and in another form")
    func sameBytes() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.sums(featureCount: 4, treeCount: 40), as: "Sums", version: 1)
        try await RunningGateway.with(folder) { gateway in
            var generator = SystemRandomNumberGenerator()
            let rows = (0..<5_000).map { _ in
                (0..<4).map { _ in Float.random(in: 0...1, using: &generator) }
            }
            let lines = rows.map { "[" + $0.map(\.description).joined(separator: ",") + "]" }
            let all = try await gateway.predict(
                "{\"features\": [" + lines.joined(separator: ",") + "]}")
            let together = Self.predictions(in: all.text)
            #expect(together.count == 5_000)
            let client = try gateway.client()
            for index in stride(from: 0, to: 5_000, by: 97) {
                let alone = try await client.call(
                    "POST", "/predict", body: "{\"features\": [\(lines[index])]}")
                #expect(Self.predictions(in: alone.text) == [together[index]])
                let record = zip(["f3", "f1", "f0", "f2"], [3, 1, 0, 2]).map {
                    "\"\($0)\": \(rows[index][$1])"
                }.joined(separator: ",")
                let named = try await client.call(
                    "POST", "/predict", body: "{\"dataframe_records\": [{\(record)}]}")
                #expect(Self.predictions(in: named.text) == [together[index]])
            }
        }
    }

    /// The texts between the brackets of `predictions`.
    static func predictions(in reply: String) -> [Substring] {
        guard let start = reply.range(of: "\"predictions\":["),
            let end = reply.range(of: "]", range: start.upperBound..<reply.endIndex)
        else { return [] }
        return reply[start.upperBound..<end.lowerBound].split(separator: ",")
    }

    @Test("The dispatch route loads, reports, predicts a record or a list, and unloads")
    func serve() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        try await RunningGateway.with(folder, load: nil) { gateway in
            func serve(_ body: String) async throws -> RawClient.Reply {
                try await gateway.call("POST", "/serve", body: body)
            }
            let early = try await serve(#"{"data": [0.9, 1, 2]}"#)
            #expect(early.status == 503 && early.json()?["status"] as? String == "error")
            let loaded = try await serve(
                #"{"model_name": "Iris", "action": "load", "model_version": "1"}"#)
            #expect(loaded.status == 200, "\(loaded.text)")
            #expect(loaded.json()?["model_version"] as? String == "1")
            let list = try await serve(#"{"model_name": "Iris", "data": [0.9, 1, 2]}"#)
            #expect(list.text.hasPrefix(#"{"prediction":[1],"status":"success""#), "\(list.text)")
            let record = try await serve(#"{"model_name": "Iris", "data": {"x": 0.1, "y": 0}}"#)
            #expect(record.text.hasPrefix(#"{"prediction":[0],"#), "\(record.text)")
            let wrong = try await serve(#"{"data": [0.9, "b", 2]}"#)
            #expect(wrong.status == 422 && wrong.json()?["error"] is String)
            #expect(try await serve(#"{"model_name": "Other", "data": [1]}"#).status == 404)
            #expect(try await serve(#"{"action": "dance"}"#).status == 422)
            #expect(try await serve("[").status == 400)
            let gone = try await serve(#"{"action": "load", "model_name": "Nothing"}"#)
            #expect(gone.status == 404 && gone.json()?["status"] as? String == "error")
            #expect(try await serve(#"{"action": "unload"}"#).status == 200)
            #expect(try await gateway.call("GET", "/health").status == 503)
        }
    }

    @Test("More predictions at once than allowed are refused quickly, with a time to come back")
    func overload() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "One", version: 1)
        try await RunningGateway.with(folder) {
            $0.limits.concurrentPredictions = 0
        } _: { gateway in
            let reply = try await gateway.predict(#"{"features": [[1, 2]]}"#)
            #expect(reply.status == 503 && reply.headers["retry-after"] == "1")
            #expect(reply.json()?["title"] as? String == "Too many predictions at once")
            let text = try await gateway.call("GET", "/metrics").text
            #expect(text.contains(#"manta_predictions_rejected_total{reason="overloaded"} 1"#))
        }
    }

    @Test("Admission lets in exactly as many as its limit, from any number of tasks")
    func admission() async {
        let admission = Admission(limit: 10)
        let admitted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 { group.addTask { admission.enter() } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(admitted == 10)
        for _ in 0..<10 { admission.leave() }
        #expect(admission.count == 0 && admission.enter())
    }
}
