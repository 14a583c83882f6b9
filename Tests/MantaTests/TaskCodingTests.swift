import Foundation
import Testing

@testable import Manta

@Suite struct TaskCodingTests {
    private struct Value: Codable, Equatable {
        var names: [String: Int]
        var numbers: [Int: Double]
        var text: String
    }

    @Test("Equal values give equal bytes, whatever the order of their dictionaries")
    func deterministic() throws {
        let pairs = (0..<200).map { ("key\($0)", $0) }
        let bytes = try (0..<10).map { _ in
            let value = Value(
                names: Dictionary(uniqueKeysWithValues: pairs.shuffled()),
                numbers: Dictionary(
                    uniqueKeysWithValues: pairs.shuffled().map { ($0.1, Double($0.1) / 3) }),
                text: "a/b ü")
            return try TaskCoding.encode(value, subject: "test").bytes
        }
        #expect(Set(bytes).count == 1)
    }

    @Test("A value comes back as it was")
    func roundTrip() throws {
        let value = Value(names: ["a": 1], numbers: [2: 0.1], text: "\"\n")
        let encoded = try TaskCoding.encode(value, subject: "test")
        let (digests, json) = try TaskCoding.digests(in: Data(encoded.bytes), subject: "test")
        #expect(digests == [])
        #expect(
            try TaskCoding.decode(Value.self, json: json, attachments: [:], subject: "test")
                == value)
    }

    @Test("Large Data becomes an attachment once, small Data stays inside")
    func attachments() throws {
        let large = Data(repeating: 7, count: TaskCoding.attachmentMin)
        let small = Data([1, 2, 3])
        let value = ["a": large, "b": small, "c": large]
        let encoded = try TaskCoding.encode(value, subject: "test")
        #expect(encoded.attachments.map(\.bytes) == [large])
        let (digests, json) = try TaskCoding.digests(in: Data(encoded.bytes), subject: "test")
        #expect(digests == encoded.attachments.map(\.digest))
        let decoded = try TaskCoding.decode(
            [String: Data].self, json: json, attachments: [digests[0]: large], subject: "test")
        #expect(decoded == value)
        #expect(throws: JobError.self) {
            try TaskCoding.decode(
                [String: Data].self, json: json, attachments: [:], subject: "test")
        }
    }

    @Test("What cannot be written as JSON is named")
    func unusable() {
        struct Bad: Encodable {
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(
                    1, .init(codingPath: [], debugDescription: "never"))
            }
        }
        #expect {
            try TaskCoding.encode(Bad(), subject: "the input of task \"x\"")
        } throws: { "\($0)".hasPrefix("the input of task \"x\": it cannot be written") }
    }
}
