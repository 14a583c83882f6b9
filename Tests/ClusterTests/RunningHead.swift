import Foundation
import HTTPClient
import Jobs
import Logging
import Synchronization

@testable import Cluster

/// A head on a real socket, over stores in memory.
final class RunningHead: Sendable {
    static let token = "cluster-token"

    let port: Int
    let store: StoreDouble
    let blobs: InMemoryBlobStore
    private let task: Task<Void, any Error>
    private let http = HTTPClient()

    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter port: 0 takes any.
    static func start(
        port: Int = 0, store: StoreDouble = StoreDouble(),
        blobs: InMemoryBlobStore = InMemoryBlobStore(),
        _ change: (inout HeadConfiguration) -> Void = { _ in }
    ) async throws -> RunningHead {
        var configuration = try HeadConfiguration(token: token, version: "1.2.3")
        configuration.port = port
        change(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let head = Head(configuration, store: store, blobs: blobs, logger: logger)
        let bound = Mutex<Int?>(nil)
        let ending = Mutex<(any Error)?>(nil)
        let task = Task {
            do {
                try await head.run { port in bound.withLock { $0 = port } }
            } catch {
                ending.withLock { $0 = error }
                throw error
            }
        }
        try await eventually("the head listens") {
            if let error = ending.withLock({ $0 }) { throw error }
            return bound.withLock { $0 } != nil
        }
        return RunningHead(
            port: bound.withLock { $0 } ?? 0, store: store, blobs: blobs, task: task)
    }

    private init(
        port: Int, store: StoreDouble, blobs: InMemoryBlobStore, task: Task<Void, any Error>
    ) {
        self.port = port
        self.store = store
        self.blobs = blobs
        self.task = task
    }

    /// Ends it as a kill would: connections are cut where they stand.
    func stop() async {
        task.cancel()
        _ = await task.result
    }

    func client(token: String? = RunningHead.token) -> HeadClient {
        HeadClient(address: url, token: token)
    }

    /// One request with the cluster's token, unless `headers` say otherwise.
    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: [String: String] = [:],
        token: String? = RunningHead.token, body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        var all = HTTPHeaders()
        if let token { all.append(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { all.append(name: name, value: value) }
        return try await http.send(
            HTTPRequest(method, url + path, headers: all, body: body.map { .bytes($0) } ?? .none))
    }

    func get(_ path: String, json: Bool = false) async throws -> HTTPResponse {
        try await send(.get, path, headers: json ? ["Accept": "application/json"] : [:])
    }

    func post(_ path: String, _ body: String = "") async throws -> HTTPResponse {
        try await send(.post, path, body: Array(body.utf8))
    }
}

/// Brings a job of one command from queued to where a test needs it.
struct JobHand {
    let store: any JobStore
    let worker = WorkerID(name: "worker-1")
    let id: JobID

    init(_ store: any JobStore, _ id: String) async throws {
        self.store = store
        self.id = try JobID(id)
        _ = try await store.submit(NewJob(id: self.id, entrypoint: .command("true")))
    }

    func claim() async throws -> Lease {
        let reply = try await store.claim(
            ClaimRequest(
                worker: worker, free: Resources(milliCPUs: 8_000), driverSlots: 1, grantsMax: 1,
                leaseInMilliseconds: 600_000))
        guard let lease = reply.grants.first?.lease else { throw NeverHappened(what: "a grant") }
        return lease
    }

    func end(_ lease: Lease, _ outcome: AttemptOutcome) async throws {
        _ = try await store.finish([AttemptEnding(lease: lease, outcome: outcome)])
    }

    func log(_ texts: [String]) async throws {
        try await store.appendLogs(
            texts.map { LogLine(stream: .out, prefix: "", text: $0, time: 0) }, to: id)
    }
}
