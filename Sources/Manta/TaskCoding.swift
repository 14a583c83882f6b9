import Foundation
import Synchronization

/// How inputs and outputs of tasks become bytes.
///
/// Layout: the line `manta-task/1 <digest> <digest>…`, then JSON with sorted keys. The digests name
/// blobs that the value carries along: every `Data` of some size in it, which is what a `Dataset`
/// is when encoded; large, and often the same from task to task. The bytes depend on the value
/// only, because their SHA-256 is the key under which a restarted driver finds the answer again.
/// Sets, and dictionaries whose keys are neither strings nor integers, have no order of their
/// own: a value with these may be computed again after a restart.
enum TaskCoding {
    static let version = "manta-task/1"
    /// `Data` of at least this many bytes becomes a blob of its own.
    static let attachmentMin = 16 << 10
    /// A value carries at most this many blobs.
    static let attachmentsMax = 1_024

    struct Encoded {
        var bytes: [UInt8]
        var attachments: [(digest: String, bytes: Data)]
    }

    /// - Throws: `JobError.unusableValue` with the reason `Codable` gives.
    static func encode(_ value: some Encodable, subject: String) throws -> Encoded {
        let bag = AttachmentBag()
        let encoder = JSONEncoder()
        encoder.dataEncodingStrategy = .custom { data, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(
                data.count < attachmentMin ? data.base64EncodedString() : "blob:" + bag.add(data))
        }
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let json: Data
        do {
            json = try encoder.encode(value)
        } catch {
            throw JobError.unusableValue(
                subject: subject, reason: "it cannot be written as JSON: \(error)")
        }
        let attachments = bag.attachments
        guard attachments.count <= attachmentsMax else {
            throw JobError.unusableValue(
                subject: subject, reason: "it carries more than \(attachmentsMax) data sets")
        }
        let line = ([version] + attachments.map(\.digest)).joined(separator: " ") + "\n"
        return Encoded(bytes: Array(line.utf8) + json, attachments: attachments)
    }

    /// - Throws: `JobError.unusableValue`.
    static func digests(in bytes: Data, subject: String) throws -> (digests: [String], json: Data) {
        guard let end = bytes.prefix((attachmentsMax + 1) * 65).firstIndex(of: UInt8(ascii: "\n"))
        else { throw JobError.unusableValue(subject: subject, reason: "no first line") }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        let words = line.split(separator: " ").map(String.init)
        guard words.first == version else {
            throw JobError.unusableValue(
                subject: subject,
                reason: "it starts with \"\(words.first?.prefix(20) ?? "")\", not \(version)")
        }
        return (Array(words.dropFirst()), bytes[(end + 1)...])
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, json: Data, attachments: [String: Data], subject: String
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        decoder.dataDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            let data =
                text.hasPrefix("blob:")
                ? attachments[String(text.dropFirst(5))] : Data(base64Encoded: text)
            guard let data else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "no base 64 and no blob that came along")
            }
            return data
        }
        do {
            return try decoder.decode(type, from: json)
        } catch {
            throw JobError.unusableValue(
                subject: subject, reason: "it cannot be read as \(type): \(error)")
        }
    }
}

/// The encoded input of one call, or a stored value.
struct TaskInput: Sendable {
    var bytes: Data
    var blobs: any BlobAccess

    func decode<Value: Decodable & Sendable>(
        _ type: Value.Type, taskName: String
    ) async throws -> Value {
        let subject = "a value of task \"\(taskName)\""
        let (digests, json) = try TaskCoding.digests(in: bytes, subject: subject)
        var attachments: [String: Data] = [:]
        for digest in digests { attachments[digest] = try await blobs.load(digest) }
        return try TaskCoding.decode(
            type, json: json, attachments: attachments, subject: subject)
    }
}

/// The blobs a value carries along, collected while it is encoded.
private final class AttachmentBag: Sendable {
    private let contents = Mutex<[(digest: String, bytes: Data)]>([])

    /// In the order they were met, each once.
    var attachments: [(digest: String, bytes: Data)] { contents.withLock { $0 } }

    func add(_ bytes: Data) -> String {
        let digest = BlobReference(of: bytes).digest
        contents.withLock { contents in
            if !contents.contains(where: { $0.digest == digest }) {
                contents.append((digest, bytes))
            }
        }
        return digest
    }
}
