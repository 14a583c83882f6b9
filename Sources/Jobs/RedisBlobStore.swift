package import Redis

/// Blobs of a cluster: small ones in Redis under a byte budget, larger ones in the origin.
///
/// Small blobs that nobody put, asked for or read for `StoreLimits.retention` make room for new
/// ones. The origin is never cleaned by us.
package final class RedisBlobStore: BlobStore {
    private let client: RedisClient
    private let keys: RedisKeys
    private let scripts: RedisScripts
    private let budgetInBytes: Int
    private let smallMax: Int
    private let origin: OriginDirectory?
    private let ownsClient: Bool

    package init(
        client: RedisClient, namespace: String, originDirectory: String? = nil,
        budgetInBytes: Int = StoreConfiguration.blobBudgetDefault,
        smallMax: Int = StoreConfiguration.smallBlobMax, scripts: RedisScripts = RedisScripts(),
        ownsClient: Bool = false
    ) {
        self.client = client
        self.scripts = scripts
        self.budgetInBytes = budgetInBytes
        self.smallMax = smallMax
        self.ownsClient = ownsClient
        keys = RedisKeys(namespace: namespace)
        origin = originDirectory.map { OriginDirectory(path: $0) }
    }

    deinit { if ownsClient { client.close() } }

    package static func open(
        _ endpoint: RedisEndpoint, _ configuration: StoreConfiguration
    ) async throws -> RedisBlobStore {
        let client = RedisClient(endpoint)
        do {
            let hasFlags = try await RedisRequirements.check(client)
            return RedisBlobStore(
                client: client, namespace: configuration.namespace,
                originDirectory: configuration.originDirectory,
                budgetInBytes: configuration.blobBudgetInBytes,
                scripts: RedisScripts(limits: configuration.limits, hasFlags: hasFlags),
                ownsClient: true)
        } catch {
            client.close()
            throw error
        }
    }

    package func put(_ bytes: [UInt8]) async throws -> String {
        let digest = BlobFiles.digest(of: bytes)
        if bytes.count <= smallMax {
            try await putSmall(bytes, digest: digest)
        } else {
            let origin = try requireOrigin(for: Int64(bytes.count))
            try await BlobFiles.blocking { () throws(BlobStoreError) in
                try origin.put(bytes, digest: digest)
            }
        }
        return digest
    }

    package func put(fileAt path: String) async throws -> String {
        let size = try await BlobFiles.blocking { () throws(BlobStoreError) in
            try BlobFiles.size(ofFileAt: path)
        }
        if size <= Int64(smallMax) {
            let maximum = Int64(smallMax)
            return try await put(
                BlobFiles.blocking { () throws(BlobStoreError) in
                    try BlobFiles.read(path, maximum: maximum)
                })
        }
        guard size <= OriginDirectory.blobMax else {
            throw BlobStoreError.tooLarge(sizeInBytes: size, maximum: OriginDirectory.blobMax)
        }
        let origin = try requireOrigin(for: size)
        return try await BlobFiles.blocking { () throws(BlobStoreError) in
            let digest = try BlobFiles.digest(ofFileAt: path)
            try origin.put(fileAt: path, digest: digest)
            return digest
        }
    }

    package func contains(_ digest: String) async throws -> Bool {
        guard BlobFiles.isDigest(digest) else { return false }
        if try await run(scripts.containsBlob, RedisCommand(digest)).integer == 1 { return true }
        return origin?.contains(digest) ?? false
    }

    package func get(_ digest: String) async throws -> [UInt8] {
        if let bytes = try await small(digest) { return bytes }
        guard let origin else { throw BlobStoreError.missing(digest) }
        return try await BlobFiles.blocking { () throws(BlobStoreError) in try origin.get(digest) }
    }

    package func get(_ digest: String, toFileAt path: String) async throws {
        let bytes = try await small(digest)
        guard bytes != nil || origin != nil else { throw BlobStoreError.missing(digest) }
        let origin = origin
        try await BlobFiles.blocking { () throws(BlobStoreError) in
            if let bytes {
                try BlobFiles.write(bytes, to: path)
            } else {
                try origin?.get(digest, toFileAt: path)
            }
        }
    }

    private func putSmall(_ bytes: [UInt8], digest: String) async throws(BlobStoreError) {
        var arguments = RedisCommand(digest)
        arguments.append(bytes)
        arguments.append(budgetInBytes)
        guard try await run(scripts.putBlob, arguments).string == "ok" else {
            throw .full("small blobs have at most \(budgetInBytes) bytes together in Redis")
        }
    }

    /// The verified bytes of a blob in Redis; nil when it is not there.
    private func small(_ digest: String) async throws(BlobStoreError) -> [UInt8]? {
        guard BlobFiles.isDigest(digest) else { throw .missing(digest) }
        guard let bytes = try await run(scripts.getBlob, RedisCommand(digest)).bytes else {
            return nil
        }
        guard BlobFiles.digest(of: bytes) == digest else { throw .damaged(digest) }
        return bytes
    }

    private func requireOrigin(for size: Int64) throws(BlobStoreError) -> OriginDirectory {
        guard let origin else { throw .noOrigin(sizeInBytes: size) }
        return origin
    }

    private func run(
        _ script: RedisScript, _ arguments: RedisCommand
    ) async throws(BlobStoreError) -> RESPValue {
        do throws(RedisError) {
            return try await client.run(script, keys: [keys.prefix], arguments: arguments)
        } catch {
            if case .server(let answer) = error, answer.code == .outOfMemory {
                throw .full("Redis's memory is used up; raise its maxmemory")
            }
            throw .unavailable("\(error)")
        }
    }
}
