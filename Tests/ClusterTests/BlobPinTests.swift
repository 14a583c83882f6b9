import Foundation
import JobChannel
import Jobs
import TestSupport
import Testing

@testable import Cluster

/// What running attempts use stays in a worker's cache, whatever its budget.
@Suite struct BlobPinTests {
    private func trimAll(_ cache: BlobCache) async throws {
        try await cache.trim(to: 0, unusedFor: .seconds(-1))
    }

    @Test("A blob that a process was told of stays until its desk is gone; others go")
    func heldByDesk() async throws {
        let hub = try HubRig()
        let blobs = InMemoryBlobStore()
        let cache = try BlobCache(store: blobs, directory: hub.folder.path + "/cache")
        let (worker, process) = try await hub.connect()
        let wanted = try await blobs.put(Array("wanted".utf8))
        let other = try await blobs.put(Array("other".utf8))
        _ = try await cache.path(of: other)
        var desk: BlobDesk? = BlobDesk(cache: cache, scratchDirectory: hub.folder.path)
        await desk?.serve(.blobWanted(request: 1, digest: wanted), on: worker)
        var path: String?
        for try await message in process.messages {
            guard case .blobReady(1, let ready) = message.header else { break }
            path = ready
            break
        }
        let mapped = try Data(
            contentsOf: URL(fileURLWithPath: try #require(path)), options: .alwaysMapped)
        try await trimAll(cache)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: hub.folder.path + "/cache")
                == [wanted])
        #expect(mapped == Data("wanted".utf8))
        desk = nil
        try await eventually("the desk lets go") { cache.shelf.held.isEmpty }
        try await trimAll(cache)
        #expect(!FileManager.default.fileExists(atPath: cache.shelf.path(of: wanted)))
        await hub.close()
    }

    @Test("What a process offered is held as what it wanted, and by each desk by itself")
    func heldByTwo() async throws {
        let folder = try TemporaryFolder()
        let cache = try BlobCache(
            store: InMemoryBlobStore(), directory: folder.path + "/cache")
        try folder.write("result", to: "result")
        let digest = JobDigest.of(Array("result".utf8))
        var first: BlobHold? = BlobHold(cache.shelf)
        var second: BlobHold? = BlobHold(cache.shelf)
        _ = try await cache.take(
            fileAt: folder.path + "/result", expecting: digest, heldBy: first)
        // Twice by one is once.
        _ = try await cache.path(of: digest, heldBy: second)
        _ = try await cache.path(of: digest, heldBy: second)
        first = nil
        try await trimAll(cache)
        #expect(FileManager.default.fileExists(atPath: cache.shelf.path(of: digest)))
        second = nil
        try await trimAll(cache)
        #expect(!FileManager.default.fileExists(atPath: cache.shelf.path(of: digest)))
        _ = (first, second)
    }

    @Test("The binary that a job's processes run is held as long as they do")
    func binary() async throws {
        let rig = try WorkerRig { $0.cacheMaxInBytes = 0 }
        let gate = rig.folder.path + "/gate"
        let digest = try await rig.blobs.put(Array(try PythonJob.source.utf8))
        let job = try await rig.submit(
            .script(fileName: "job.swift", digest: digest, arguments: ["map", "gate", "1"])
        ) { $0.environment = ["GATE": gate] }
        let cache = rig.worker.context.cache
        try await eventually("an executor runs") {
            try await rig.store.tasks(of: job, limit: 10).contains {
                if case .running = $0.state { $0.spec.kind == .task } else { false }
            }
        }
        try await eventually("its processes are connected") { cache.shelf.held.count == 1 }
        let binary = try #require(cache.shelf.held.first)
        try await trimAll(cache)
        #expect(FileManager.default.fileExists(atPath: cache.shelf.path(of: binary)))
        try rig.folder.write("", to: "gate")
        #expect(try await rig.end(of: job).state.isTerminal)
        try await eventually("they are gone", within: .seconds(60)) { cache.shelf.held.isEmpty }
        try await trimAll(cache)
        #expect(!FileManager.default.fileExists(atPath: cache.shelf.path(of: binary)))
        await rig.stop()
    }
}
