import Foundation
import HTTPClient
import Jobs
import Logging
import Synchronization

@testable import Cluster

/// One worker's part in passing blobs around, on a real socket, with a cache of its own.
final class PeerRig: Sendable {
    static let secret = "cluster-token"

    let id: WorkerID
    let folder: TemporaryFolder
    let store: StoreDouble
    let peers: Peers
    let cache: BlobCache
    /// What it logged.
    let lines = LogLines()
    private let task: Task<Void, Never>

    /// Starts it and has the store list it.
    ///
    /// - Parameter base: what it would use without its peers.
    static func start(
        _ name: String, _ store: StoreDouble, base: any BlobStore,
        _ change: (inout WorkerConfiguration) -> Void = { _ in }
    ) async throws -> PeerRig {
        let rig = try PeerRig(name, store, base: base, change)
        try await eventually("\(name) listens") { rig.peers.offer != nil }
        try await rig.beat()
        return rig
    }

    private init(
        _ name: String, _ store: StoreDouble, base: any BlobStore,
        _ change: (inout WorkerConfiguration) -> Void
    ) throws {
        (id, self.store) = (WorkerID(name: name), store)
        folder = try TemporaryFolder()
        var configuration = WorkerConfiguration(
            name: name, host: "here", resources: Resources(milliCPUs: 1_000),
            cacheDirectory: folder.path + "/cache", runtimeDirectory: folder.path,
            guardExecutable: "/bin/true", jobEnvironment: [:], version: "1",
            token: PeerRig.secret)
        configuration.peerAddress = PeerAddress("127.0.0.1:0")
        change(&configuration)
        let shelf = try BlobShelf(directory: folder.path + "/cache/blobs")
        let made = try Peers(
            configuration, store: store, blobs: base, shelf: shelf,
            logger: Logger(label: "test") { [lines] _ in lines })
        guard let peers = made else { throw NeverHappened(what: "peers") }
        self.peers = peers
        cache = BlobCache(store: peers.blobs, shelf: shelf)
        task = Task { await peers.run() }
    }

    /// What the worker's heartbeat does.
    func beat() async throws {
        var record = WorkerRecord(
            id: id, name: id.rawValue, host: "here", pid: 1,
            total: Resources(milliCPUs: 1_000), free: Resources(milliCPUs: 1_000), labels: [],
            version: "1", runningTasks: 0)
        record.peer = peers.offer
        _ = try await store.heartbeat(record, leases: [])
    }

    var port: Int {
        get throws {
            guard let text = peers.offer?.address.split(separator: ":").last,
                let port = Int(text)
            else { throw NeverHappened(what: "a port") }
            return port
        }
    }

    /// Has a process's file taken, as `BlobDesk` does; answers the digest.
    func take(_ bytes: [UInt8]) async throws -> String {
        let path = "\(folder.path)/offered-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let digest = JobDigest.of(bytes)
        _ = try await cache.take(fileAt: path, expecting: digest)
        try await beat()
        return digest
    }

    func bytes(of digest: String) async throws -> [UInt8] {
        let path = try await cache.path(of: digest)
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    func keptPath(_ digest: String) -> String { "\(folder.path)/cache/kept/\(digest)" }

    /// Its socket is closed; the store still lists it.
    func stop() async {
        task.cancel()
        await task.value
    }

    /// A request as another process of the cluster sends it.
    func send(
        _ method: HTTPRequest.Method, _ digest: String, pass: String? = nil, body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        let shown =
            pass
            ?? PeerPass.make(method.rawValue, digest, secret: PeerRig.secret, now: PeerPass.now)
        return try await HTTPClient().send(
            HTTPRequest(
                method, "http://127.0.0.1:\(try port)/blobs/\(digest)",
                headers: ["Authorization": shown], body: body.map { .bytes($0) } ?? .none))
    }
}

/// Messages of warnings and worse.
struct LogLines: LogHandler {
    private let lines = Lines()
    var messages: [String] { lines.texts.withLock { $0 } }

    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.texts.withLock { $0.append("\(event.message)") } }

    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
    }
}

/// A store that counts what is read from it.
final class CountedBlobs: BlobStore {
    let inner: InMemoryBlobStore
    private let count = Mutex(0)
    var reads: Int { count.withLock { $0 } }

    init(_ inner: InMemoryBlobStore = InMemoryBlobStore()) { self.inner = inner }

    func put(_ bytes: [UInt8]) async throws -> String { try await inner.put(bytes) }
    func put(fileAt path: String) async throws -> String { try await inner.put(fileAt: path) }
    func contains(_ digest: String) async throws -> Bool { try await inner.contains(digest) }

    func get(_ digest: String) async throws -> [UInt8] {
        count.withLock { $0 += 1 }
        return try await inner.get(digest)
    }

    func get(_ digest: String, toFileAt path: String) async throws {
        count.withLock { $0 += 1 }
        try await inner.get(digest, toFileAt: path)
    }
}
