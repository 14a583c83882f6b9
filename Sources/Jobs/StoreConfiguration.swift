import Redis

/// Which store a process uses, checked when it is made.
package struct StoreConfiguration: Sendable, Hashable {
    package enum Location: Sendable, Hashable {
        /// Everything is in this process and ends with it.
        case memory
        case redis(RedisAddress)
    }

    /// A Redis server's address; it never shows its password.
    package struct RedisAddress: Sendable, Hashable, CustomStringConvertible {
        let endpoint: RedisEndpoint
        package var description: String { endpoint.description }
    }

    package let location: Location
    /// The beginning of every key, so that several clusters can share one Redis.
    package let namespace: String
    /// What all workers share, for blobs larger than `smallBlobMax`.
    package let origin: OriginLocation?
    /// What small blobs may take together in Redis.
    package var blobBudgetInBytes: Int
    package var limits: StoreLimits
    /// The version of the program that opens the store, for words about others.
    package var program = "of an unknown version"

    package static let blobBudgetDefault = 1 << 30
    /// Blobs up to this size live in Redis.
    package static let smallBlobMax = 8 << 20

    /// - Parameter url: `redis://[user[:password]@]host[:port][/db]`, `unix:///path?db=0`,
    ///   `redis:6379`, or `memory:`.
    /// - Parameter origin: an absolute path, or `s3://bucket/prefix`, whose settings are in
    ///   `environment` (`BucketConfiguration`).
    /// - Throws: `StoreConfigurationError`, with words for the person who wrote the setting.
    package init(
        url: String, namespace: String = "manta", origin: String? = nil,
        environment: [String: String] = [:],
        blobBudgetInBytes: Int = StoreConfiguration.blobBudgetDefault,
        limits: StoreLimits = StoreLimits()
    ) throws(StoreConfigurationError) {
        guard StoreConfiguration.isValid(namespace: namespace) else {
            throw StoreConfigurationError(
                "a namespace matches [A-Za-z0-9][A-Za-z0-9._-]{0,63}; '\(namespace)' does not")
        }
        self.origin = try origin.map { (text) throws(StoreConfigurationError) in
            try OriginLocation(text, environment: environment)
        }
        if url == "memory:" || url == "memory://" {
            location = .memory
        } else {
            do throws(RedisURLError) {
                location = .redis(RedisAddress(endpoint: try RedisEndpoint(url: url)))
            } catch {
                throw StoreConfigurationError("the store's URL cannot be used: \(error)")
            }
        }
        self.namespace = namespace
        self.blobBudgetInBytes = blobBudgetInBytes
        self.limits = limits
    }

    private static func isValid(namespace: String) -> Bool {
        namespace.utf8.count <= 64 && JobID(rawValue: namespace) != nil
    }

    /// Opens the store: for Redis, connects and checks version and memory policy.
    package func openJobStore() async throws -> any JobStore {
        switch location {
        case .memory: InMemoryJobStore(limits: limits)
        case .redis(let address): try await RedisJobStore.open(address.endpoint, self)
        }
    }

    package func openBlobStore() async throws -> any BlobStore {
        switch location {
        case .memory: InMemoryBlobStore(budgetInBytes: blobBudgetInBytes)
        case .redis(let address): try await RedisBlobStore.open(address.endpoint, self)
        }
    }
}

/// A store's setting that cannot be used, in words that say what to write instead.
package struct StoreConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
