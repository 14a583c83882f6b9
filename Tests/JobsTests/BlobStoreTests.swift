import Foundation
import Redis
import TestSupport
import Testing

@testable import Jobs

/// What every blob store must do.
@Suite struct BlobStoreTests {
    @Test(
        "Bytes come back under their digest, in memory and as files", arguments: StoreKind.allCases)
    func roundTrip(_ kind: StoreKind) async throws {
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

    @Test("What is not there is missing", arguments: StoreKind.allCases)
    func missing(_ kind: StoreKind) async throws {
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

    @Test("A budget is kept", arguments: StoreKind.allCases)
    func budget(_ kind: StoreKind) async throws {
        try await withFolder { folder in
            let store = try await makeStore(kind, folder: folder, budget: 10)
            let digest = try await store.put([UInt8](repeating: 1, count: 10))
            #expect(try await store.put([UInt8](repeating: 1, count: 10)) == digest)
            await #expect { try await store.put([2]) } throws: { error in
                if case BlobStoreError.full = error { true } else { false }
            }
        }
    }

    @Test("Larger blobs need an origin and live there")
    func origin() async throws {
        try await withFolder { folder in
            let big = [UInt8](repeating: 5, count: 5_000)
            let without = try await makeStore(.redis, folder: nil)
            await #expect(throws: BlobStoreError.noOrigin(sizeInBytes: 5_000)) {
                try await without.put(big)
            }
            let store = try await makeStore(.redis, folder: folder)
            let digest = try await store.put(big)
            let file = "\(folder)/origin/\(digest.prefix(2))/\(digest)"
            #expect(FileManager.default.contents(atPath: file).map(Array.init) == big)
            #expect(try await store.contains(digest))
            try await store.get(digest, toFileAt: "\(folder)/out")
            #expect(FileManager.default.contents(atPath: "\(folder)/out").map(Array.init) == big)
        }
    }

    @Test("A damaged blob in the origin is refused, and putting the bytes again heals it")
    func damage() async throws {
        try await withFolder { folder in
            let store = try await makeStore(.redis, folder: folder)
            let big = [UInt8](repeating: 6, count: 5_000)
            let digest = try await store.put(big)
            let file = "\(folder)/origin/\(digest.prefix(2))/\(digest)"
            for reading in 0..<2 {
                try Data(big.dropLast()).write(to: URL(fileURLWithPath: file))
                await #expect(throws: BlobStoreError.damaged(digest)) {
                    if reading == 0 {
                        _ = try await store.get(digest)
                    } else {
                        try await store.get(digest, toFileAt: "\(folder)/out")
                    }
                }
                #expect(!FileManager.default.fileExists(atPath: "\(folder)/out"))
                #expect(try await store.put(big) == digest)
                #expect(try await store.get(digest) == big)
            }
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

    private func makeStore(
        _ kind: StoreKind, folder: String?, budget: Int = 1 << 20
    ) async throws -> any BlobStore {
        switch kind {
        case .memory: InMemoryBlobStore(budgetInBytes: budget)
        case .redis:
            RedisBlobStore(
                client: try await SharedRedis.client(),
                namespace: "t\(UInt64.random(in: 0 ... .max))",
                originDirectory: folder.map { $0 + "/origin" }, budgetInBytes: budget,
                smallMax: 2_000)
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
