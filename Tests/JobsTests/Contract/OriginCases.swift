import Foundation
import Redis

@testable import Jobs

/// What is removed from the origin, and what is not.
extension ContractCase {
    static let originCases: [ContractCase] = [
        ContractCase(
            "Large blobs that nobody used and no job names are removed",
            { $0.retention = .seconds(150) }
        ) { bench in
            try await bench.withOrigin { store in
                let unused = try await store.put(large(1))
                let asked = try await store.put(large(2))
                let read = try await store.put(large(3))
                let again = try await store.put(large(4))
                let input = try await store.put(large(5))
                let result = try await store.put(large(6))
                let driver = try await bench.drive("a")
                var task = makeTask("t", job: "a")
                task.input = .blob(digest: input, sizeInBytes: 200)
                try await bench.add([task], driver)
                let lease = try await bench.claimOne()
                _ = try await bench.finish(
                    lease, .succeeded(.blob(digest: result, sizeInBytes: 200)))
                try await bench.pass(100_000)
                try equal(try await store.clean(), 0, "all are young")
                try check(try await store.contains(asked), "asked for")
                _ = try await store.get(read)
                _ = try await store.put(large(4))
                try await bench.pass(80_000)
                try equal(try await store.clean(), 1, "the unused one only")
                try check(try await !store.contains(unused), "removed")
                for digest in [asked, read, again, input, result] {
                    try check(try await store.contains(digest), "kept: \(digest)")
                }
                try await bench.pass(200_000)
                try equal(try await store.clean(), 3, "what the job names stays")
                try equal(try await store.put(large(1)), unused, "it can come back")
                try equal(try await store.get(unused), large(1))
            }
        },
        ContractCase(
            "A script and a working directory stay as long as their job",
            { $0.retention = .seconds(150) }
        ) { bench in
            try await bench.withOrigin { store in
                let script = try await store.put(large(1))
                let folder = try await store.put(large(2))
                var job = newJob("a")
                job.entrypoint = .script(fileName: "a.swift", digest: script, arguments: [])
                job.workingDirectory = folder
                _ = try await bench.store.submit(job)
                try await bench.pass(200_000)
                try equal(try await store.clean(), 0, "the job is queued")
                _ = try await bench.store.stop(.a, by: "me")
                _ = try await bench.claim()
                try check(try await bench.store.delete(.a), "it was there")
                try await bench.pass(200_000)
                try equal(try await store.clean(), 2, "nobody names them")
            }
        },
        ContractCase("A young blob's removal does not begin", { $0.retention = .seconds(150) }) {
            bench in
            try await bench.withOrigin { store in
                let digest = try await store.put(large(1))
                try await bench.pass(100_000)
                try equal(try await bench.beginRemoval(digest, store), "used")
                try equal(try await bench.beginRemoval(BlobFiles.digest(of: [1]), store), "used")
            }
        },
        ContractCase(
            "While a blob is removed, one removes it and nobody stores or finds it",
            { $0.retention = .seconds(150) }
        ) { bench in
            try await bench.withOrigin { store in
                let digest = try await store.put(large(1))
                try await bench.pass(200_000)
                try equal(try await bench.beginRemoval(digest, store), "ok")
                try equal(try await bench.beginRemoval(digest, store), "busy")
                try equal(try await store.clean(), 0, "it is another's")
                try await bench.isUnavailable { _ = try await store.put(large(1)) }
                try await bench.isUnavailable { _ = try await store.contains(digest) }
                // Who removed it died: after a while it counts as not removed.
                try await bench.pass(130_000)
                try check(try await store.contains(digest), "it is still there")
                try equal(try await bench.beginRemoval(digest, store), "used")
            }
        },
    ]
}

private func large(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 200) }

extension StoreBench {
    fileprivate func withOrigin(_ body: (RedisBlobStore) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "manta-origin-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(try blobStore(budget: 1_000, origin: folder))
    }

    /// Stores a large blob, and leaves its removal half done.
    func removeFromOrigin() async throws {
        try await withOrigin { store in
            let digest = try await store.put(large(1))
            _ = try await store.client.send(
                RedisCommand("ZADD", store.keys.name(.originUses), "-1000000000000", digest))
            try equal(try await beginRemoval(digest, store), "ok")
        }
    }

    fileprivate func beginRemoval(
        _ digest: String, _ store: RedisBlobStore
    ) async throws -> String? {
        var arguments = RedisCommand(digest)
        arguments.append(RedisBlobStore.removalInMilliseconds)
        return try await store.run(store.scripts.beginRemoval, arguments).string
    }

    fileprivate func isUnavailable(_ body: () async throws -> Void) async throws {
        do { try await body() } catch BlobStoreError.unavailable { return }
        try check(false, "expected .unavailable")
    }
}
