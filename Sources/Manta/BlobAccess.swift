import Crypto
import DecisionForests
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

    /// The blob's bytes for long use: one copy for all processes of a machine where they are a
    /// file.
    func storage(of digest: String) async throws -> ByteStorage
}

extension BlobAccess {
    func put(_ bytes: Data) async throws -> BlobReference {
        let reference = BlobReference(of: bytes)
        try await store(bytes, digest: reference.digest)
        return reference
    }

    func put(_ storage: ByteStorage) async throws -> BlobReference {
        try await put(storage.data)
    }

    /// Encodes a value for a task and stores what it carries along.
    func encode(_ value: some Encodable, subject: String) async throws -> [UInt8] {
        let encoded = try TaskCoding.encode(value, subject: subject)
        for (digest, bytes) in encoded.attachments { try await store(bytes, digest: digest) }
        return encoded.bytes
    }
}

extension ByteStorage {
    /// The same bytes, not copied.
    fileprivate var data: Data {
        withBytes { bytes in
            guard let address = bytes.baseAddress else { return Data() }
            // The closure holds this storage for as long as the data lives; nobody writes there.
            return Data(
                bytesNoCopy: UnsafeMutableRawPointer(mutating: address), count: bytes.count,
                deallocator: .custom { _, _ in withExtendedLifetime(self) {} })
        }
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
