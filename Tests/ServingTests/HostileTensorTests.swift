import DecisionForests
import ModelFormats
import Testing

@testable import Serving

/// Requests of the Open Inference Protocol and tables, changed at random: each is read or refused.
@Suite struct HostileTensorTests {
    static let model = TestModels.classifier()
    static let schema = FeatureSchema(ModelSignature(of: model), encoder: model.rowEncoder)
    static let limits: GatewayConfiguration.Limits = {
        var limits = GatewayConfiguration.Limits()
        limits.rowCount = 1_000
        return limits
    }()

    /// Chance that is the same in every run.
    struct Chance: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 32 | state << 32
        }
    }

    static let seeds: [(json: String, tail: [UInt8])] = [
        (
            #"{"id":"a","inputs":[{"name":"m","shape":[2,3],"datatype":"FP32","#
                + #""data":[[0.2,1,null],[0.9,-1e3,2]]}],"outputs":[{"name":"predict"}]}"#, []
        ),
        (
            #"{"inputs":[{"name":"m","shape":[2,3],"datatype":"FP64","#
                + #""parameters":{"binary_data_size":48}}],"#
                + #""parameters":{"binary_data_output":true}}"#,
            [UInt8](repeating: 63, count: 48)
        ),
        (
            #"{"inputs":[{"name":"x","shape":[1,1],"datatype":"BYTES","#
                + #""parameters":{"binary_data_size":6}},{"name":"y","shape":[1],"#
                + #""datatype":"INT64","data":[7]}]}"#, [2, 0, 0, 0, 49, 50]
        ),
    ]

    /// A seed with some bytes changed, taken out or doubled, and pieces of others put in.
    static func changed(_ bytes: [UInt8], by chance: inout Chance) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &chance) {
            let index = Int.random(in: 0...max(0, bytes.count - 1), using: &chance)
            guard index < bytes.count else { return bytes }
            switch Int.random(in: 0..<5, using: &chance) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &chance)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
            case 3:
                let words = ["[", "]", "-1", "9223372036854775807", "\"", "null", "1e999", "{"]
                bytes.insert(
                    contentsOf: (words.randomElement(using: &chance) ?? "").utf8, at: index)
            default: bytes.removeSubrange(index..<min(bytes.count, index + 8))
            }
        }
        return bytes
    }

    /// The number of rows, or nil for a refusal.
    static func rowCount(_ body: [UInt8], jsonSize: Int) -> Int? {
        body.withUnsafeBytes { body -> Int? in
            do {
                let request = try InferRequest(body, jsonSize: jsonSize, limits: limits)
                return try TensorReader.rows(
                    of: request, in: body, schema: schema, limits: limits
                ).rowCount
            } catch {
                return nil
            }
        }
    }

    @Test("Thirty thousand changed requests are read within the bounds or refused")
    func requests() {
        var chance = Chance(state: 42)
        var readCount = 0
        for round in 0..<30_000 {
            let seed = Self.seeds[round % Self.seeds.count]
            let json = Self.changed(Array(seed.json.utf8), by: &chance)
            let tail = round % 2 == 0 ? seed.tail : Self.changed(seed.tail, by: &chance)
            let offset = round % 7 == 0 ? Int.random(in: -3...3, using: &chance) : 0
            let count = Self.rowCount(json + tail, jsonSize: json.count + offset)
            #expect((1...1_000).contains(count ?? 1))
            readCount += count == nil ? 0 : 1
        }
        // Both ways are met: changes inside names and numbers leave a request whole.
        #expect((100..<29_000).contains(readCount), "\(readCount)")
    }

    @Test("Twenty thousand changed tables are read or refused")
    func tables() {
        var chance = Chance(state: 7)
        var readCount = 0
        let seed = Array("x,\"y\",z\r\n0.2,1,\n\"0.9\",-1e3,NaN\n".utf8)
        for _ in 0..<20_000 {
            let body = Self.changed(seed, by: &chance)
            let rows = body.withUnsafeBytes { body in
                try? CSVFeatures.decode(body, schema: Self.schema, limits: Self.limits)
            }
            #expect((rows?.rowCount ?? 1) >= 1)
            readCount += rows == nil ? 0 : 1
        }
        #expect((100..<19_000).contains(readCount), "\(readCount)")
    }
}
