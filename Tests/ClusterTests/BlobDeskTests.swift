import Foundation
import JobChannel
import Jobs
import Testing

@testable import Cluster

@Suite struct BlobDeskTests {
    /// A desk between a process and a cache, over a real channel.
    private struct Rig {
        let hub: HubRig
        let blobs = InMemoryBlobStore()
        let scratch: String
        let desk: BlobDesk
        let worker: ChannelConnection
        let process: ChannelConnection

        init(scratch: String? = nil) async throws {
            hub = try HubRig()
            self.scratch = scratch ?? hub.folder.path + "/scratch"
            try FileManager.default.createDirectory(
                atPath: self.scratch, withIntermediateDirectories: true)
            let cache = try BlobCache(store: blobs, directory: hub.folder.path + "/cache")
            desk = BlobDesk(cache: cache, scratchDirectory: self.scratch)
            (worker, process) = try await hub.connect()
        }

        /// What the process is answered.
        func ask(_ header: ChannelMessage.Header) async throws -> ChannelMessage.Header {
            await desk.serve(header, on: worker)
            for try await message in process.messages { return message.header }
            throw NeverHappened(what: "an answer")
        }

        func offer(_ path: String, _ digest: String) async throws -> ChannelMessage.Header {
            try await ask(.blobOffered(request: 7, digest: digest, path: path))
        }

        func write(_ text: String, to path: String) throws -> String {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return BlobDeskTests.digest(of: text)
        }
    }

    private static func digest(of text: String) -> String {
        JobDigest.of(Array(text.utf8))
    }

    private func reason(_ header: ChannelMessage.Header) throws -> String {
        guard case .refused(7, let reason) = header else {
            throw NeverHappened(what: "a refusal; there was \(header)")
        }
        return reason
    }

    @Test("An offered file is stored, moved into the cache, and found there")
    func offered() async throws {
        let rig = try await Rig()
        let file = rig.scratch + "/result"
        let digest = try rig.write("bytes", to: file)
        guard case .blobReady(7, let path) = try await rig.offer(file, digest) else {
            throw NeverHappened(what: "blobReady")
        }
        #expect(FileManager.default.contents(atPath: path) == Data("bytes".utf8))
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(try await rig.blobs.get(digest) == Array("bytes".utf8))
        #expect(
            try await rig.ask(.blobWanted(request: 8, digest: digest))
                == .blobReady(request: 8, path: path))
        await rig.hub.close()
    }

    @Test("A file on another file system is stored and fetched")
    func otherFileSystem() async throws {
        let scratch = "/dev/shm/manta-c-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let rig = try await Rig(scratch: scratch)
        let digest = try rig.write("far", to: scratch + "/result")
        guard case .blobReady(7, let path) = try await rig.offer(scratch + "/result", digest)
        else { throw NeverHappened(what: "blobReady") }
        #expect(FileManager.default.contents(atPath: path) == Data("far".utf8))
        #expect(path.hasPrefix(rig.hub.folder.path + "/cache/"))
        await rig.hub.close()
    }

    @Test("Bytes with another digest than was said are refused")
    func wrongDigest() async throws {
        let rig = try await Rig()
        _ = try rig.write("bytes", to: rig.scratch + "/result")
        let other = Self.digest(of: "other")
        let answer = try await rig.offer(rig.scratch + "/result", other)
        #expect(try reason(answer).contains("not those"))
        guard case .refused = try await rig.ask(.blobWanted(request: 1, digest: other)) else {
            throw NeverHappened(what: "a refusal")
        }
        await rig.hub.close()
    }

    @Test("Files outside the scratch folder are refused, on whatever way they are named")
    func outside() async throws {
        let rig = try await Rig()
        let files = FileManager.default
        let secret = rig.hub.folder.path + "/secret"
        let digest = try rig.write("secret", to: secret)
        try files.createSymbolicLink(atPath: rig.scratch + "/link", withDestinationPath: secret)
        try files.createSymbolicLink(
            atPath: rig.scratch + "/folder", withDestinationPath: rig.hub.folder.path)
        #expect(link(secret, rig.scratch + "/hard") == 0)
        #expect(mkfifo(rig.scratch + "/pipe", 0o600) == 0)
        try files.createDirectory(
            atPath: rig.hub.folder.path + "/scratch2", withIntermediateDirectories: true)
        _ = try rig.write("secret", to: rig.hub.folder.path + "/scratch2/file")
        for path in [
            secret, rig.scratch + "/../secret", rig.scratch + "/x/../../secret",
            rig.scratch + "/link", rig.scratch + "/folder/secret", rig.scratch + "/hard",
            rig.scratch + "/pipe", rig.scratch + "/..", rig.scratch, rig.scratch + "/",
            rig.scratch + "2/file", "secret", "../secret", "", "/", rig.scratch + "/missing",
            rig.scratch + "/\0/../../secret", "/proc/self/environ", "/dev/zero",
        ] {
            #expect(try !reason(try await rig.offer(path, digest)).isEmpty, "\(path)")
        }
        #expect(files.fileExists(atPath: secret))
        #expect(try await !rig.blobs.contains(digest))
        await rig.hub.close()
    }

    @Test("A blob nobody stored, and what is no digest, are refused")
    func unknown() async throws {
        let rig = try await Rig()
        for digest in [
            Self.digest(of: "?"), "", "../../etc/passwd", String(repeating: "A", count: 64),
        ] {
            let answer = try await rig.ask(.blobWanted(request: 7, digest: digest))
            #expect(try reason(answer).contains("does not exist"))
        }
        await rig.hub.close()
    }

    @Test("Many requests at once are all answered")
    func many() async throws {
        let rig = try await Rig()
        let digest = try await rig.blobs.put(Array("popular".utf8))
        for request in 0..<100 {
            await rig.desk.serve(
                .blobWanted(request: UInt64(request), digest: digest), on: rig.worker)
        }
        var answered: Set<UInt64> = []
        for try await message in rig.process.messages {
            if case .blobReady(let request, _) = message.header { answered.insert(request) }
            if answered.count == 100 { break }
        }
        await rig.hub.close()
    }

    @Test("A fetched blob is complete, readable and executable the moment it is there")
    func cache() async throws {
        let folder = try TemporaryFolder()
        let blobs = InMemoryBlobStore()
        let cache = try BlobCache(store: blobs, directory: folder.path + "/cache")
        let digest = try await blobs.put([UInt8](repeating: 1, count: 3 << 20))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let path = try await cache.path(of: digest)
                    #expect(access(path, R_OK | X_OK) == 0)
                    #expect(FileManager.default.contents(atPath: path)?.count == 3 << 20)
                }
            }
            try await group.waitForAll()
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache") == [digest])
    }

    @Test("A full cache gives up what was longest not used, and keeps what is in use")
    func trim() async throws {
        let folder = try TemporaryFolder()
        let blobs = InMemoryBlobStore()
        let cache = try BlobCache(store: blobs, directory: folder.path + "/cache")
        var digests: [String] = []
        for number in 0..<5 {
            digests.append(try await blobs.put([UInt8](repeating: UInt8(number), count: 1_000)))
            let path = try await cache.path(of: digests[number])
            // Used two hours ago, the first one the longest.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -7_200 + Double(number))],
                ofItemAtPath: path)
        }
        try folder.write("half", to: "cache/\(digests[0]).x.part")
        _ = try await cache.path(of: digests[0])
        try await cache.trim(to: 3_100)
        func names() throws -> Set<String> {
            Set(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache"))
        }
        // The draft is too young to go; the first blob was used just now.
        #expect(try names() == [digests[0], digests[3], digests[4], digests[0] + ".x.part"])
        try await cache.trim(to: 0, unusedFor: .seconds(-1))
        #expect(try names().isEmpty)
        #expect(try await cache.path(of: digests[1]).hasSuffix(digests[1]))
    }
}
