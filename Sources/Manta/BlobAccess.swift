import Crypto
import Foundation

/// Bytes kept under their SHA-256, for tasks to read: handed out by `Cluster.put`.
public struct BlobReference: Sendable, Hashable, Codable {
    /// Lower-case hex SHA-256.
    public let digest: String
    /// How many bytes the blob has.
    public let sizeInBytes: Int

    init(of bytes: some DataProtocol) {
        digest = SHA256.hexDigest(of: bytes)
        sizeInBytes = bytes.count
    }
}

/// Where a process of the job keeps and finds blobs: its worker, or its own memory when alone.
protocol BlobAccess: Sendable {
    /// Returns once the blob has a home. Storing it again costs nothing.
    func store(_ bytes: Data, digest: String) async throws

    /// The blob's bytes, mapped where they are a file.
    func load(_ digest: String) async throws -> Data
}

extension BlobAccess {
    func put(_ bytes: Data) async throws -> BlobReference {
        let reference = BlobReference(of: bytes)
        try await store(bytes, digest: reference.digest)
        return reference
    }

    /// Encodes a value for a task and stores what it carries along.
    func encode(_ value: some Encodable, subject: String) async throws -> [UInt8] {
        let encoded = try TaskCoding.encode(value, subject: subject)
        for (digest, bytes) in encoded.attachments { try await store(bytes, digest: digest) }
        return encoded.bytes
    }
}

extension SHA256 {
    static func hexDigest(of bytes: some DataProtocol) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}
