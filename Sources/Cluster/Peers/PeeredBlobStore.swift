import Foundation
package import Jobs
package import Logging

/// A cluster's blob store, with its workers as a second place for large blobs.
///
/// What a worker near by has is fetched from there first and from the origin otherwise. Where there
/// is no origin, a large blob's home are two workers: the one that stores it and one more. When
/// only one takes it, that is said in the log, and the blob is lost with that worker.
package struct PeeredBlobStore: BlobStore {
    private let base: any BlobStore
    private let client: PeerClient
    /// Nil for a process that is no worker.
    private let kept: KeptBlobs?
    /// Holds what is on its way.
    private let scratchDirectory: String
    private let logger: Logger

    /// Homes of a large blob without an origin.
    static let copies = 2

    init(
        _ base: any BlobStore, client: PeerClient, kept: KeptBlobs?, scratchDirectory: String,
        logger: Logger
    ) {
        self.base = base
        self.client = client
        self.kept = kept
        self.scratchDirectory = scratchDirectory
        self.logger = logger
    }

    /// For a head, which keeps nothing itself.
    ///
    /// - Parameters:
    ///   - token: the cluster's.
    ///   - scratchDirectory: holds blobs while they are fetched.
    package init(
        _ base: any BlobStore, workersOf store: any JobStore, token: String,
        scratchDirectory: String, logger: Logger
    ) {
        self.init(
            base, client: PeerClient(store: store, secret: token), kept: nil,
            scratchDirectory: scratchDirectory, logger: logger)
    }

    package func put(_ bytes: [UInt8]) async throws -> String {
        do {
            return try await base.put(bytes)
        } catch BlobStoreError.noOrigin {
            return try await withScratchFile { path in
                try await BlockingWork.run {
                    try Data(bytes).write(to: URL(fileURLWithPath: path))
                }
                return try await keep(fileAt: path)
            }
        }
    }

    package func put(fileAt path: String) async throws -> String {
        do {
            return try await base.put(fileAt: path)
        } catch BlobStoreError.noOrigin {
            return try await keep(fileAt: path)
        }
    }

    package func contains(_ digest: String) async throws -> Bool {
        if try await base.contains(digest) { return true }
        if kept?.path(of: digest) != nil { return true }
        return digest.isDigest ? try await client.holds(digest) : false
    }

    package func get(_ digest: String) async throws -> [UInt8] {
        do {
            return try await base.get(digest)
        } catch BlobStoreError.missing where digest.isDigest {
            return try await withScratchFile { path in
                guard try await find(digest, toFileAt: path) else {
                    throw BlobStoreError.missing(digest)
                }
                return try await BlockingWork.run {
                    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
                }
            }
        }
    }

    package func get(_ digest: String, toFileAt path: String) async throws {
        guard digest.isDigest else { throw BlobStoreError.missing(digest) }
        let failure: any Error
        do {
            if try await find(digest, toFileAt: path) { return }
            failure = BlobStoreError.missing(digest)
        } catch BlobStoreError.full(let cause) {
            throw BlobStoreError.full(cause)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            failure = error
        }
        do {
            try await base.get(digest, toFileAt: path)
        } catch BlobStoreError.missing {
            // A worker that has it and does not answer may come back; one that has it not will not.
            throw failure
        }
    }

    package func clean() async throws -> Int { try await base.clean() }

    /// Fetches from here or from another worker; false when nobody has it.
    private func find(_ digest: String, toFileAt path: String) async throws -> Bool {
        if let own = kept?.path(of: digest) {
            let copied = try await BlockingWork.run {
                try HashedFile.copy(own, to: path, sizeMax: PeerClient.blobMax)
            }
            if copied.digest == digest { return true }
            unlink(path)
            // The disk has changed it: of no use to anybody, and another worker may have it.
            kept?.forget(digest)
        }
        return try await client.fetch(digest, toFileAt: path)
    }

    /// Gives a large file its homes and answers its digest.
    private func keep(fileAt path: String) async throws -> String {
        let (digest, size) = try await BlockingWork.run { try PeeredBlobStore.digest(of: path) }
        var homes = 0
        var refusal = BlobStoreError.noOrigin(sizeInBytes: size)
        if let kept {
            do {
                try await kept.keep(digest, sizeInBytes: size) { draft in
                    try await BlockingWork.run {
                        try HashedFile.copy(path, to: draft, sizeMax: size)
                    }
                }
                homes += 1
            } catch let error as BlobStoreError {
                refusal = error
            }
        }
        homes += try await client.leave(
            digest, fileAt: path, copies: PeeredBlobStore.copies - homes)
        guard homes > 0 else { throw refusal }
        if homes < PeeredBlobStore.copies {
            logger.warning(
                "a blob has one home only and is lost with that worker",
                metadata: [
                    "blob": "\(digest)", "bytes": "\(size)",
                    "next": "start a second worker with --peer-address, or all with --origin",
                ])
        }
        return digest
    }

    private static func digest(of path: String) throws -> (String, Int64) {
        let size = FileStatus(path, followsLinks: true)?.sizeInBytes ?? 0
        return (try PackageDownload.digest(ofFileAt: path), Int64(size))
    }

    private func withScratchFile<Value: Sendable>(
        _ body: (String) async throws -> Value
    ) async throws -> Value {
        let path = "\(scratchDirectory)/manta-blob-\(UUID().uuidString)"
        defer { unlink(path) }
        return try await body(path)
    }
}
