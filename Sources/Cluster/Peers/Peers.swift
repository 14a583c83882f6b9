import Foundation
import Jobs
import Logging
import Synchronization

/// A worker's part in passing large blobs from worker to worker: it listens, says what it has, and
/// keeps what has no other home.
final class Peers: Sendable {
    let blobs: PeeredBlobStore
    private let kept: KeptBlobs
    private let shelf: BlobShelf
    private let server: PeerServer
    private let logger: Logger
    private let bound: BoundAddress

    /// Nil when the worker was given no address for it.
    ///
    /// - Throws: when the folder of kept blobs cannot be made.
    init?(
        _ configuration: WorkerConfiguration, store: any JobStore, blobs: any BlobStore,
        shelf: BlobShelf, logger: Logger
    ) throws {
        guard let address = configuration.peerAddress, let secret = configuration.token else {
            return nil
        }
        let kept = try KeptBlobs(
            directory: "\(configuration.cacheDirectory)/kept",
            sizeMax: configuration.keptMaxInBytes)
        let bound = BoundAddress(host: address.host)
        self.kept = kept
        self.shelf = shelf
        self.logger = logger
        self.bound = bound
        server = PeerServer(
            host: address.host, port: address.port, secret: secret, shelf: shelf, kept: kept,
            logger: logger)
        self.blobs = PeeredBlobStore(
            blobs, client: PeerClient(store: store, secret: secret) { bound.text }, kept: kept,
            scratchDirectory: configuration.runtimeDirectory, logger: logger)
    }

    /// What goes into the worker's record; nil while it does not listen.
    var offer: PeerOffer? {
        guard let address = bound.text else { return nil }
        // What has no other home is said first.
        let own = kept.digests(PeerOffer.blobsMax)
        let cached = shelf.lastUsed(PeerOffer.blobsMax).filter { !own.contains($0) }
        return PeerOffer(address: address, digests: own + cached)
    }

    /// Serves until the task is cancelled. A port that is taken is said, and the worker works on
    /// without its peers.
    func run() async {
        let tidying = Task { await tidy() }
        do {
            try await server.run { [bound] port in bound.listen(on: port) }
        } catch is CancellationError {
            // The worker ends.
        } catch {
            logger.error(
                "other workers cannot fetch blobs from this one",
                metadata: ["address": "\(server.host):\(server.port)", "cause": "\(error)"])
        }
        bound.stop()
        tidying.cancel()
    }

    /// As long as jobs that are over are kept, and with them what they name.
    private static let retention = StoreLimits().retention

    private func tidy() async {
        while !Task.isCancelled {
            let kept = kept
            let removed = try? await BlockingWork.run { kept.trim(unusedFor: Peers.retention) }
            if let removed, removed > 0 {
                logger.info("unused blobs removed", metadata: ["count": "\(removed)"])
            }
            try? await Task.sleep(for: .seconds(3_600))
        }
    }
}

/// Where a worker listens for its peers, once it does.
private final class BoundAddress: Sendable {
    private let host: String
    private let port = Mutex<Int?>(nil)

    init(host: String) { self.host = host }

    func listen(on port: Int) { self.port.withLock { $0 = port } }
    func stop() { port.withLock { $0 = nil } }

    var text: String? {
        let name = host.contains(":") ? "[\(host)]" : host
        return port.withLock { $0 }.map { "\(name):\($0)" }
    }
}

/// "host:port" to listen on and to be found at.
package struct PeerAddress: Sendable, Hashable {
    package let host: String
    /// 0 takes any free port.
    package let port: Int

    /// Nil for what is no `HOST:PORT`, and for addresses that say "all of this machine's": others
    /// could not connect to them.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        let isPlain = host.utf8.allSatisfy { byte in
            byte < 128 && (byte.isLetterOrDigit || [45, 46, 58, 95].contains(byte))
        }
        guard !host.isEmpty, host.utf8.count <= 253, isPlain, !["0.0.0.0", "::"].contains(host)
        else { return nil }
        self.host = host
        self.port = port
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self)
    }
}
