import Foundation
import Redis
import S3
import TestSupport
import Testing

@testable import Jobs

/// What every blob store must do.
@Suite struct BlobStoreTests {
    @Test(
        "Bytes come back under their digest, in memory and as files", arguments: BlobPlace.allCases)
    func roundTrip(_ kind: BlobPlace) async throws {
        try await withFolder { folder in
            let store = try await makeStore(kind, folder: folder)
            for bytes in [[], [1, 2, 3], [UInt8](repeating: 9, count: 3_000)] as [[UInt8]] {
                let digest = try await store.put(bytes)
                #expect(digest == BlobFiles.digest(of: bytes))
                #expect(try await store.put(bytes) == digest)
                #expect(try await store.contains(digest))
                #expect(try await store.get(digest) == bytes)
                try await store.get(digest, toFileAt: "\(folder)/out")
                #expect(
                    FileManager.default.contents(atPath: "\(folder)/out").map(Array.init) == bytes)
                let other = bytes + [0]
                try Data(other).write(to: URL(fileURLWithPath: "\(folder)/in"))
                let fromFile = try await store.put(fileAt: "\(folder)/in")
                #expect(try await store.get(fromFile) == other)
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!left.contains { $0.hasSuffix(".part") })
        }
    }

    @Test("What is not there is missing", arguments: BlobPlace.allCases)
    func missing(_ kind: BlobPlace) async throws {
        try await withFolder { folder in
            let store = try await makeStore(kind, folder: folder)
            for name in [BlobFiles.digest(of: [77]), "", "../../etc/passwd"] {
                #expect(try await !store.contains(name))
                await #expect(throws: BlobStoreError.missing(name)) { try await store.get(name) }
                await #expect(throws: BlobStoreError.missing(name)) {
                    try await store.get(name, toFileAt: "\(folder)/out")
                }
            }
            await #expect(throws: BlobStoreError.self) {
                try await store.put(fileAt: "\(folder)/none")
            }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/out"))
        }
    }

    @Test("A budget is kept", arguments: BlobPlace.allCases)
    func budget(_ kind: BlobPlace) async throws {
        try await withFolder { folder in
            let store = try await makeStore(kind, folder: folder, budget: 10)
            let digest = try await store.put([UInt8](repeating: 1, count: 10))
            #expect(try await store.put([UInt8](repeating: 1, count: 10)) == digest)
            await #expect { try await store.put([2]) } throws: { error in
                if case BlobStoreError.full = error { true } else { false }
            }
        }
    }

    @Test("Larger blobs need an origin and live there", arguments: BlobPlace.origins)
    func origin(_ kind: BlobPlace) async throws {
        try await withFolder { folder in
            let big = [UInt8](repeating: 5, count: 5_000)
            let without = try await makeStore(kind, folder: nil)
            await #expect(throws: BlobStoreError.noOrigin(sizeInBytes: 5_000)) {
                try await without.put(big)
            }
            let store = try await makeStore(kind, folder: folder)
            let digest = try await store.put(big)
            #expect(try await store.contains(digest))
            #expect(try await stored(digest, kind, folder: folder) == big)
            try await store.get(digest, toFileAt: "\(folder)/out")
            #expect(FileManager.default.contents(atPath: "\(folder)/out").map(Array.init) == big)
            // Another process sees it, too.
            let other = try await makeStore(kind, folder: folder)
            #expect(try await other.get(digest) == big)
        }
    }

    @Test(
        "A damaged blob in the origin is refused, and putting the bytes again heals it",
        arguments: BlobPlace.origins)
    func damage(_ kind: BlobPlace) async throws {
        try await withFolder { folder in
            let store = try await makeStore(kind, folder: folder)
            let big = [UInt8](repeating: 6, count: 5_000)
            let digest = try await store.put(big)
            for reading in 0..<2 {
                try await damage(digest, Array(big.dropLast()), kind, folder: folder)
                await #expect(throws: BlobStoreError.damaged(digest)) {
                    if reading == 0 {
                        _ = try await store.get(digest)
                    } else {
                        try await store.get(digest, toFileAt: "\(folder)/out")
                    }
                }
                let left = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(!left.contains { $0.hasPrefix("out") })
                #expect(try await !store.contains(digest))
                #expect(try await store.put(big) == digest)
                #expect(try await store.get(digest) == big)
            }
        }
    }

    @Test("Many who put the same large blob at once all succeed", arguments: BlobPlace.origins)
    func together(_ kind: BlobPlace) async throws {
        try await withFolder { folder in
            let store = try await makeStore(kind, folder: folder)
            let big = [UInt8](repeating: 8, count: 100_000)
            let digests = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 { group.addTask { try await store.put(big) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(digests == [BlobFiles.digest(of: big)])
            #expect(try await store.get(BlobFiles.digest(of: big)) == big)
        }
    }

    @Test("A bucket that refuses is a refusal and found at the start; one that is away is not")
    func refusal() async throws {
        let server = try await S3Server.shared()
        let redis = try await RedisServer.shared()
        let location = "s3://\(S3Server.bucket)/refusal"
        let reader = server.environment(of: server.reader)
        let store = RedisBlobStore(
            client: try await SharedRedis.client(), namespace: "t",
            origin: try OriginLocation(location, environment: reader), smallMax: 10)
        let error = await #expect(throws: BlobStoreError.self) {
            try await store.put([UInt8](repeating: 1, count: 11))
        }
        guard case .refused(let words) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(words.contains("AccessDenied") && words.contains(location))
        #expect(!words.contains(server.reader.secret))
        var wrong = server.environment
        wrong["AWS_SECRET_ACCESS_KEY"] = "wrong"
        let refused = try StoreConfiguration(url: redis.url, origin: location, environment: wrong)
        await #expect(throws: StoreConfigurationError.self) { try await refused.openBlobStore() }
        wrong["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        let away = try StoreConfiguration(url: redis.url, origin: location, environment: wrong)
        let late = try await away.openBlobStore()
        await #expect {
            try await late.put([UInt8](repeating: 1, count: 9 << 20))
        } throws: { error in
            if case BlobStoreError.unavailable = error { true } else { false }
        }
    }

    @Test("A blob that changed in Redis is refused")
    func damageInRedis() async throws {
        let client = try await SharedRedis.client()
        let namespace = "t\(UInt64.random(in: 0 ... .max))"
        let store = RedisBlobStore(client: client, namespace: namespace)
        let digest = try await store.put([1])
        _ = try await client.send(
            RedisCommand("SET", RedisKeys(namespace: namespace).name(.blob, digest), "x"))
        await #expect(throws: BlobStoreError.damaged(digest)) { try await store.get(digest) }
    }

    /// - Parameter folder: names the origin, so that two stores can share one; nil: no origin.
    private func makeStore(
        _ kind: BlobPlace, folder: String?, budget: Int = 1 << 20
    ) async throws -> any BlobStore {
        if kind == .memory { return InMemoryBlobStore(budgetInBytes: budget) }
        var origin: OriginLocation?
        if let folder { origin = try await location(kind, folder) }
        return RedisBlobStore(
            client: try await SharedRedis.client(),
            namespace: "t\(UInt64.random(in: 0 ... .max))", origin: origin,
            budgetInBytes: budget, smallMax: 2_000)
    }

    private func location(_ kind: BlobPlace, _ folder: String) async throws -> OriginLocation {
        guard kind == .bucket else { return .directory(folder + "/origin") }
        let name = (folder as NSString).lastPathComponent
        return try OriginLocation(
            "s3://\(S3Server.bucket)/\(name)", environment: try await S3Server.shared().environment)
    }

    /// What the origin holds under a digest, read without the store.
    private func stored(
        _ digest: String, _ kind: BlobPlace, folder: String
    ) async throws -> [UInt8]? {
        switch try await location(kind, folder) {
        case .directory(let path):
            let file = "\(path)/\(digest.prefix(2))/\(digest)"
            return FileManager.default.contents(atPath: file).map(Array.init)
        case .bucket(let configuration):
            return try await Bucket(configuration).get(
                OriginBucket.key(of: digest), sizeMax: 1 << 20)
        }
    }

    private func damage(
        _ digest: String, _ bytes: [UInt8], _ kind: BlobPlace, folder: String
    ) async throws {
        switch try await location(kind, folder) {
        case .directory(let path):
            let file = "\(path)/\(digest.prefix(2))/\(digest)"
            try Data(bytes).write(to: URL(fileURLWithPath: file))
        case .bucket(let configuration):
            let (bucket, key) = (Bucket(configuration), OriginBucket.key(of: digest))
            try await bucket.remove(key)
            _ = try await bucket.put(bytes, at: key, sha256: BlobFiles.digest(of: bytes))
        }
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "manta-blobs-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}

/// Where the blobs of a test live.
enum BlobPlace: String, CaseIterable, Sendable {
    case memory
    /// Redis, and a directory for what is larger.
    case directory
    /// Redis, and a bucket for what is larger.
    case bucket

    static let origins: [BlobPlace] = [.directory, .bucket]
}
