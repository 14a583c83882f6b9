import Foundation
import HTTPClient
import Jobs
import TestSupport
import Testing

@testable import Cluster

@Suite struct HeadBlobTests {
    private let bytes = Array("import Manta\n".utf8)

    private func put(_ head: RunningHead, _ bytes: [UInt8], as digest: String) async throws
        -> HTTPResponse
    {
        try await head.send(.put, "/api/blobs/\(digest)", body: bytes)
    }

    @Test("A blob is put once and then known")
    func roundTrip() async throws {
        let head = try await RunningHead.start()
        let digest = try await InMemoryBlobStore().put(bytes)
        #expect(try await head.send(.head, "/api/blobs/\(digest)").status == 404)
        #expect(try await put(head, bytes, as: digest).status == 200)
        #expect(try await head.send(.head, "/api/blobs/\(digest)").status == 200)
        #expect(try await head.blobs.get(digest) == bytes)
        // The client asks first and sends nothing when the head has it.
        #expect(try await head.client().upload(bytes) == digest)
        await head.stop()
    }

    @Test("Bytes under another digest are refused and not kept")
    func wrongDigest() async throws {
        let head = try await RunningHead.start()
        let other = try await InMemoryBlobStore().put([0])
        let reply = try await put(head, bytes, as: other)
        #expect(reply.status == 400 && reply.bodyText.contains("not those of blob"))
        #expect(try await !head.blobs.contains(other))
        #expect(try await !head.blobs.contains(InMemoryBlobStore().put(bytes)))
        await head.stop()
    }

    @Test(
        "What is no digest is refused before it is looked up",
        arguments: [
            "abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64),
            "..%2F..%2Fetc%2Fpasswd", String(repeating: "%EF%BC%90", count: 21) + "0",
        ])
    func noDigest(_ text: String) async throws {
        let head = try await RunningHead.start()
        #expect(try await head.send(.head, "/api/blobs/\(text)").status == 400)
        #expect(try await put(head, bytes, as: text).status == 400)
        await head.stop()
    }

    @Test("A body over the bound is cut off with 413, and leaves no file behind")
    func tooLarge() async throws {
        let folder = try TemporaryFolder()
        let head = try await RunningHead.start { configuration in
            configuration.uploadMax = 100_000
            configuration.scratchDirectory = folder.path
        }
        let large = [UInt8](repeating: 7, count: 100_001)
        let digest = try await InMemoryBlobStore().put(large)
        #expect(try await put(head, large, as: digest).status == 413)
        let fits = Array(large.dropLast())
        let fitting = try await InMemoryBlobStore().put(fits)
        #expect(try await put(head, fits, as: fitting).status == 200)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        await head.stop()
    }

    @Test("A zip file that no worker would unpack is refused when it is uploaded")
    func packages() async throws {
        let head = try await RunningHead.start()
        let folder = try TemporaryFolder()
        try folder.write("content", to: "in/file")
        var archive = try ZipArchive.pack(folder.path + "/in")
        let good = try await InMemoryBlobStore().put(archive)
        #expect(try await put(head, archive, as: good).status == 200)
        archive[40] ^= 1
        let bad = try await InMemoryBlobStore().put(archive)
        let reply = try await put(head, archive, as: bad)
        #expect(reply.status == 400 && reply.bodyText.contains("file is damaged"))
        #expect(try await !head.blobs.contains(bad))
        await head.stop()
    }

    @Test("More uploads at once than there are places are told to come back")
    func places() {
        let places = Places(2)
        #expect(places.take() && places.take() && !places.take())
        places.giveBack()
        #expect(places.take() && !places.take())
    }

    @Test("A full store is said with the status for it")
    func full() async throws {
        let head = try await RunningHead.start(blobs: InMemoryBlobStore(budgetInBytes: 20))
        let first = try await InMemoryBlobStore().put(bytes)
        #expect(try await put(head, bytes, as: first).status == 200)
        let second = try await InMemoryBlobStore().put(Array(bytes.dropFirst()))
        #expect(try await put(head, Array(bytes.dropFirst()), as: second).status == 507)
        await head.stop()
    }
}
