package import Redis

/// Blobs of a cluster: small ones in Redis under a byte budget, larger ones in the origin.
///
/// Small blobs that nobody put, asked for or read for `StoreLimits.retention` make room for new
/// ones. Large ones that nobody used and no job names for as long are removed by `clean`.
package final class RedisBlobStore: BlobStore {
    let client: RedisClient
    let keys: RedisKeys
    let scripts: RedisScripts
    private let budgetInBytes: Int
    private let smallMax: Int
    let origin: (any BlobOrigin)?
    private let ownsClient: Bool

    package init(
        client: RedisClient, namespace: String, origin: OriginLocation? = nil,
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
        self.origin = origin?.open()
    }

    deinit { if ownsClient { client.close() } }

    package static func open(
        _ endpoint: RedisEndpoint, _ configuration: StoreConfiguration
    ) async throws -> RedisBlobStore {
        let client = RedisClient(endpoint)
        do {
            try await RedisRequirements.check(client)
            try await checkOrigin(configuration.origin)
            return RedisBlobStore(
                client: client, namespace: configuration.namespace,
                origin: configuration.origin,
                budgetInBytes: configuration.blobBudgetInBytes,
                scripts: RedisScripts(limits: configuration.limits),
                ownsClient: true)
        } catch {
            client.close()
            throw error
        }
    }

    /// A bucket that refuses us is found at the start, rather than by the first large result. One
    /// that is away may come back.
    private static func checkOrigin(_ origin: OriginLocation?) async throws {
        guard case .bucket(let bucket) = origin else { return }
        do throws(BlobStoreError) {
            try await OriginBucket(bucket).check()
        } catch {
            guard case .refused(let cause) = error else { return }
            throw StoreConfigurationError("the origin cannot be used: \(cause)")
        }
    }

    package func put(_ bytes: [UInt8]) async throws -> String {
        let digest = BlobFiles.digest(of: bytes)
        if bytes.count <= smallMax {
            try await putSmall(bytes, digest: digest)
        } else {
            let origin = try requireOrigin(for: Int64(bytes.count))
            try await markUse(digest)
            try await origin.keep(bytes, digest: digest)
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
        guard size <= OriginLimits.blobMax else {
            throw BlobStoreError.tooLarge(sizeInBytes: size, maximum: OriginLimits.blobMax)
        }
        let origin = try requireOrigin(for: size)
        let digest = try await BlobFiles.blocking { () throws(BlobStoreError) in
            try BlobFiles.digest(ofFileAt: path)
        }
        try await markUse(digest)
        try await origin.keep(fileAt: path, sizeInBytes: size, digest: digest)
        return digest
    }

    package func contains(_ digest: String) async throws -> Bool {
        guard BlobFiles.isDigest(digest) else { return false }
        if try await run(scripts.containsBlob, RedisCommand(digest)).integer == 1 { return true }
        guard let origin, try await origin.holds(digest) else { return false }
        // It may be removed between the question and the mark.
        try await markUse(digest)
        return try await origin.holds(digest)
    }

    package func get(_ digest: String) async throws -> [UInt8] {
        if let bytes = try await small(digest) { return bytes }
        guard let origin else { throw BlobStoreError.missing(digest) }
        let bytes = try await origin.read(digest)
        await markRead(digest)
        return bytes
    }

    package func get(_ digest: String, toFileAt path: String) async throws {
        if let bytes = try await small(digest) {
            return try await BlobFiles.blocking { () throws(BlobStoreError) in
                try BlobFiles.write(bytes, to: path)
            }
        }
        guard let origin else { throw BlobStoreError.missing(digest) }
        try await origin.read(digest, toFileAt: path)
        await markRead(digest)
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

    private func requireOrigin(for size: Int64) throws(BlobStoreError) -> any BlobOrigin {
        guard let origin else { throw .noOrigin(sizeInBytes: size) }
        return origin
    }

    func run(
        _ function: RedisFunction, _ arguments: RedisCommand
    ) async throws(BlobStoreError) -> RESPValue {
        do throws(RedisError) {
            return try await client.run(function, keys: [keys.prefix], arguments: arguments)
        } catch {
            if case .server(let answer) = error, answer.code == .outOfMemory {
                throw .full("Redis's memory is used up; raise its maxmemory")
            }
            throw .unavailable("\(error)")
        }
    }
}
