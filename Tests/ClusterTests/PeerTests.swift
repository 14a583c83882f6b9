import Foundation
import HTTPClient
import Jobs
import Logging
import Testing

@testable import Cluster

/// Large blobs between workers, on real sockets.
@Suite struct PeerTests {
    /// Larger than what Redis holds, so that it is offered.
    private func large(_ seed: UInt64) -> [UInt8] {
        var chance = SeededChance(seed)
        let pattern = (0..<4_096).map { _ in UInt8.random(in: 0...255, using: &chance) }
        return (0..<2_049).flatMap { _ in pattern }
    }

    private func originless() -> InMemoryBlobStore {
        InMemoryBlobStore(sizeMax: StoreConfiguration.smallBlobMax)
    }

    // MARK: With an origin

    @Test("A worker that misses a blob has it from one that has it, and not from the origin")
    func fetched() async throws {
        let (store, origin) = (StoreDouble(), CountedBlobs())
        let first = try await PeerRig.start("first", store, base: origin)
        let second = try await PeerRig.start("second", store, base: origin)
        let bytes = large(1)
        let digest = try await first.take(bytes)
        #expect(first.peers.offer?.mentions(digest) == true)
        #expect(try await second.bytes(of: digest) == bytes)
        #expect(origin.reads == 0)
        // Now it has it, too.
        #expect(second.peers.offer?.mentions(digest) == true)
        // A small one lives in Redis and is nobody's to offer.
        let small = try await first.take([1, 2, 3])
        #expect(first.peers.offer?.mentions(small) == false)
        #expect(try await second.bytes(of: small) == [1, 2, 3])
        #expect(origin.reads == 1)
        for rig in [first, second] { await rig.stop() }
    }

    @Test("Other bytes, a dead worker and one that lost it: the origin gives it then")
    func fallsBack() async throws {
        let (store, origin) = (StoreDouble(), CountedBlobs())
        let first = try await PeerRig.start("first", store, base: origin)
        let second = try await PeerRig.start("second", store, base: origin)
        let (changed, gone, orphaned) = (large(1), large(2), large(3))
        let digests = [
            try await first.take(changed), try await first.take(gone),
            try await first.take(orphaned),
        ]
        let path = first.cache.shelf.path(of: digests[0])
        #expect(chmod(path, 0o600) == 0)
        var other = changed
        other[5_000_000] ^= 1
        try Data(other).write(to: URL(fileURLWithPath: path))
        #expect(unlink(first.cache.shelf.path(of: digests[1])) == 0)
        #expect(try await second.bytes(of: digests[0]) == changed)
        #expect(try await second.bytes(of: digests[1]) == gone)
        #expect(origin.reads == 2)
        await first.stop()
        #expect(try await second.bytes(of: digests[2]) == orphaned)
        #expect(origin.reads == 3)
        let names = try FileManager.default.contentsOfDirectory(
            atPath: second.cache.shelf.directory)
        #expect(Set(names) == Set(digests))
        await second.stop()
    }

    @Test("What a peer sends is bounded")
    func bounded() async throws {
        let store = StoreDouble()
        let first = try await PeerRig.start("first", store, base: CountedBlobs())
        let digest = try await first.take(large(1))
        let folder = try TemporaryFolder()
        let client = PeerClient(store: store, secret: PeerRig.secret, sizeMax: 1 << 20)
        await #expect(throws: BlobStoreError.self) {
            _ = try await client.fetch(digest, toFileAt: folder.path + "/blob")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/blob"))
        await first.stop()
    }

    // MARK: Without one

    @Test("Without an origin a blob lives on two workers and outlasts one of them")
    func twoHomes() async throws {
        let (store, base) = (StoreDouble(), originless())
        let first = try await PeerRig.start("first", store, base: base)
        let second = try await PeerRig.start("second", store, base: base)
        let bytes = large(1)
        let digest = try await first.take(bytes)
        for rig in [first, second] {
            let kept = FileManager.default.contents(atPath: rig.keptPath(digest))
            #expect(kept == Data(bytes))
            // Not to be trimmed with what is only cached.
            try await rig.cache.trim(to: 0, unusedFor: .seconds(-1))
            #expect(FileManager.default.fileExists(atPath: rig.keptPath(digest)))
        }
        #expect(first.lines.messages.isEmpty)
        try await second.beat()
        await first.stop()
        let third = try await PeerRig.start("third", store, base: base)
        #expect(try await third.bytes(of: digest) == bytes)
        let head = PeeredBlobStore(
            base, workersOf: store, token: PeerRig.secret, scratchDirectory: third.folder.path,
            logger: .init(label: "test") { _ in LogLines() })
        #expect(try await head.contains(digest))
        #expect(try await head.get(digest) == bytes)
        for rig in [second, third] { await rig.stop() }
    }

    @Test("With one worker only it is kept there, and the log says so; then it may be lost")
    func oneHome() async throws {
        let (store, base) = (StoreDouble(), originless())
        let only = try await PeerRig.start("only", store, base: base)
        let digest = try await only.take(large(1))
        #expect(only.lines.messages == ["a blob has one home only and is lost with that worker"])
        try await only.cache.trim(to: 0, unusedFor: .seconds(-1))
        #expect(try await only.bytes(of: digest) == large(1))
        await only.stop()
        let other = try await PeerRig.start("other", store, base: base)
        // Listed still, it may come back: asked again for a while.
        await #expect {
            _ = try await other.peers.blobs.get(digest, toFileAt: other.folder.path + "/x")
        } throws: { error in
            if case BlobStoreError.unavailable = error { true } else { false }
        }
        try await store.remove(only.id)
        await #expect(throws: BlobStoreError.missing(digest)) {
            _ = try await other.peers.blobs.get(digest, toFileAt: other.folder.path + "/x")
        }
        await other.stop()
    }

    @Test("A head without an origin leaves a blob with two workers, and refuses it without any")
    func fromHead() async throws {
        let (store, base) = (StoreDouble(), originless())
        let folder = try TemporaryFolder()
        let head = PeeredBlobStore(
            base, workersOf: store, token: PeerRig.secret, scratchDirectory: folder.path,
            logger: .init(label: "test") { _ in LogLines() })
        let bytes = large(1)
        await #expect(throws: BlobStoreError.noOrigin(sizeInBytes: Int64(bytes.count))) {
            _ = try await head.put(bytes)
        }
        let rigs = [
            try await PeerRig.start("first", store, base: base),
            try await PeerRig.start("second", store, base: base),
            try await PeerRig.start("third", store, base: base),
        ]
        let digest = try await head.put(bytes)
        let homes = rigs.filter { FileManager.default.fileExists(atPath: $0.keptPath(digest)) }
        #expect(homes.count == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        for rig in rigs { await rig.stop() }
    }

    @Test("What does not fit is refused, and what nobody used is given up")
    func budget() async throws {
        let (store, base) = (StoreDouble(), originless())
        let only = try await PeerRig.start("only", store, base: base) {
            $0.keptMaxInBytes = 9_000_000
        }
        let digest = try await only.take(large(1))
        await #expect {
            _ = try await only.take(large(2))
        } throws: { error in
            if case BlobStoreError.full = error { true } else { false }
        }
        #expect(try await only.send(.put, JobDigest.of(large(2)), body: large(2)).status == 507)
        // The same again takes no room.
        #expect(try await only.send(.put, digest, body: large(1)).status == 200)
        let kept = try KeptBlobs(
            directory: only.folder.path + "/cache/kept", sizeMax: 9_000_000)
        #expect(kept.trim(unusedFor: .seconds(3_600)) == 0)
        #expect(kept.trim(unusedFor: .seconds(-1)) == 1)
        await only.stop()
    }
}
