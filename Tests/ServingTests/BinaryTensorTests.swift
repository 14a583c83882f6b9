import DecisionForests
import Foundation
import Testing

@testable import Serving

/// The binary tensor extension of the Open Inference Protocol.
@Suite struct BinaryTensorTests {
    /// A request with tensors behind its JSON.
    static func binary(
        _ gateway: RunningGateway, _ json: String, _ tail: [UInt8], size: String? = nil
    ) async throws -> RawClient.Reply {
        try await gateway.client().call(
            "POST", "/v2/models/Iris/infer", bytes: Array(json.utf8) + tail,
            headers: [
                "Inference-Header-Content-Length": size ?? String(json.utf8.count),
                "Content-Type": "application/octet-stream",
            ])
    }

    static func bytes<Value>(_ values: [Value]) -> [UInt8] { values.withUnsafeBytes(Array.init) }

    static func tensor(_ type: String, _ size: Int) -> String {
        #"{"name": "m", "shape": [2, 3], "datatype": "\#(type)", "#
            + #""parameters": {"binary_data_size": \#(size)}}"#
    }

    @Test("Binary tensors of every number type give the same rows; replies are binary on request")
    func binaryTensors() async throws {
        try await OpenInferenceTests.with { gateway in
            let rows: [Double] = [0, 1, 2, 1, 1, 2]
            for (type, tail) in [
                ("FP32", Self.bytes(rows.map { Float($0) })), ("FP64", Self.bytes(rows)),
                ("INT64", Self.bytes(rows.map { Int64($0) })),
                ("INT32", Self.bytes(rows.map { Int32($0) })),
                ("INT16", Self.bytes(rows.map { Int16($0) })),
                ("INT8", Self.bytes(rows.map { Int8($0) })),
                ("UINT64", Self.bytes(rows.map { UInt64($0) })),
                ("UINT32", Self.bytes(rows.map { UInt32($0) })),
                ("UINT16", Self.bytes(rows.map { UInt16($0) })),
                ("UINT8", Self.bytes(rows.map { UInt8($0) })),
                ("BOOL", [0, 1, 1, 1, 1, 1]),
                ("BF16", Self.bytes(rows.map { UInt16(Float($0).bitPattern >> 16) })),
                ("FP16", Self.bytes([0, 0x3C00, 0x4000, 0x3C00, 0x3C00, 0x4000] as [UInt16])),
            ] {
                let json =
                    #"{"parameters": {"binary_data_output": true}, "inputs": ["#
                    + Self.tensor(type, tail.count) + "]}"
                let reply = try await Self.binary(gateway, json, tail)
                #expect(reply.status == 200, "\(type): \(reply.text)")
                let head = try #require(
                    reply.headers["inference-header-content-length"].flatMap(Int.init))
                #expect(reply.headers["content-type"] == "application/octet-stream")
                let expected =
                    Self.bytes([0, 1] as [Int64]) + Self.bytes([0.75, 0.25, 0.1, 0.9] as [Float])
                #expect(Array(reply.body[head...]) == expected, "\(type)")
            }
        }
    }

    @Test("One output may be binary and another JSON, and a missing value is NaN in binary form")
    func mixed() async throws {
        try await OpenInferenceTests.with { gateway in
            let tail = Self.bytes([0.2, 1, Float.nan, 0.9, 1, 2])
            let outputs =
                #""outputs": [{"name": "predict", "parameters": {"binary_data": true}}, "#
                + #"{"name": "predict_proba", "parameters": {"binary_data": false}}]"#
            let json = #"{"inputs": [\#(Self.tensor("FP32", 24))], \#(outputs)}"#
            let reply = try await Self.binary(gateway, json, tail)
            let head = try #require(
                reply.headers["inference-header-content-length"].flatMap(Int.init))
            #expect(Array(reply.body[head...]) == Self.bytes([0, 1] as [Int64]))
            let text = String(decoding: reply.body[..<head], as: UTF8.self)
            #expect(text.contains("[0.75,0.25,0.1,0.9]"), "\(text)")
            let bad = try await Self.binary(
                gateway, json, Self.bytes([Float.nan, 1, 1, 0.9, 1, 2]))
            #expect(bad.status == 400 && bad.text.contains("'x'"), "\(bad.text)")
        }
    }

    @Test("Sizes that do not agree with each other are refused")
    func sizes() async throws {
        try await OpenInferenceTests.with { gateway in
            let json = #"{"inputs": [\#(Self.tensor("FP32", 24))]}"#
            let tail = [UInt8](repeating: 0, count: 24)
            for (json, tail, size) in [
                (json, Array(tail.dropLast()), nil), (json, tail + [0], nil),
                (json, tail, "99999"), (json, tail, "-1"), (json, tail, "x"), (json, tail, "3"),
                (json, tail, "0"), (#"{"inputs": [\#(Self.tensor("FP32", 20))]}"#, tail, nil),
                (#"{"inputs": [\#(Self.tensor("FP32", -24))]}"#, tail, nil),
                (#"{"inputs": [\#(Self.tensor("BYTES", 24))]}"#, [255, 255, 255, 255] + tail, nil),
            ] as [(String, [UInt8], String?)] {
                let reply = try await Self.binary(gateway, json, tail, size: size)
                #expect(reply.status == 400, "\(reply.text)")
                #expect(reply.json()?["error"] is String)
            }
        }
    }

    @Test("Text labels come back as BYTES, in JSON and in binary form")
    func textLabels() async throws {
        let folder = try TemporaryFolder()
        try folder.add(
            TestModels.classifier(classes: [.string("no"), .string("jà")]), as: "Iris", version: 1)
        try await RunningGateway.with(folder) { gateway in
            let tensor =
                #"{"inputs": [{"name": "m", "shape": [2, 3], "datatype": "FP32", "data": "#
                + #"[0, 1, 1, 1, 1, 1]}], "outputs": [{"name": "predict", "parameters": "#
            let json = try await OpenInferenceTests.infer(
                gateway, tensor + #"{"binary_data": false}}]}"#)
            #expect(
                OpenInferenceTests.outputs(json).first?["data"] as? [String] == ["no", "jà"],
                "\(json.text)")
            let binary = try await OpenInferenceTests.infer(
                gateway, tensor + #"{"binary_data": true}}]}"#)
            let head = try #require(
                binary.headers["inference-header-content-length"].flatMap(Int.init))
            #expect(
                Array(binary.body[head...]) == [2, 0, 0, 0] + "no".utf8 + [3, 0, 0, 0] + "jà".utf8)
        }
    }
}
