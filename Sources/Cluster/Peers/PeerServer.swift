import Foundation
import HTTPTypes
import Hummingbird
import Jobs
import Logging
import NIOCore

/// Where other processes of the cluster read this worker's large blobs and leave copies of theirs.
///
/// Each request shows a `PeerPass`. Nothing else is told: who shows none learns not even what is
/// here.
struct PeerServer: Sendable {
    let host: String
    let port: Int
    let secret: String
    let shelf: BlobShelf
    let kept: KeptBlobs
    let logger: Logger
    private let transfers = Places(PeerServer.transfersMax)

    /// Blobs that are sent or received at once.
    static let transfersMax = 16
    private static let chunkInBytes = 256 << 10

    init(
        host: String, port: Int, secret: String, shelf: BlobShelf, kept: KeptBlobs, logger: Logger
    ) {
        self.host = host
        self.port = port
        self.secret = secret
        self.shelf = shelf
        self.kept = kept
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onReady: called with the bound port.
    func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
        let router = Router()
        router.add(middleware: HeadErrors())
        router.head("blobs/:digest") { request, context in try await give(request, context) }
        router.get("blobs/:digest") { request, context in try await give(request, context) }
        router.put("blobs/:digest") { request, context in try await take(request, context) }
        let listener = ListeningChannel()
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(host, port: port), serverName: "manta"),
            onServerRunning: { channel in
                listener.keep(channel)
                onReady(channel.localAddress?.port ?? port)
            },
            logger: logger)
        let serving = Task { try await application.runService(gracefulShutdownSignals: []) }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task {
                await listener.close()
                serving.cancel()
            }
        }
    }

    // MARK: Reading

    private func give(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let digest = try admitted(request, context)
        guard let file = open(digest) else { throw BlobStoreError.missing(digest) }
        var headers = HTTPFields()
        headers[.contentType] = "application/octet-stream"
        guard request.method == .get else {
            headers[.contentLength] = "\(file.sizeInBytes)"
            return Response(status: .ok, headers: headers)
        }
        guard transfers.take() else { throw PeerServer.busy }
        // Given back when the body was sent, or is dropped unsent.
        let place = TakenPlace(transfers)
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: Int(file.sizeInBytes)) { writer in
                _ = place
                var left = file.sizeInBytes
                while left > 0 {
                    let wanted = Int(min(left, Int64(PeerServer.chunkInBytes)))
                    let bytes = try await BlockingWork.run { try file.read(wanted) }
                    left -= Int64(bytes.count)
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.finish(nil)
            })
    }

    /// An open file stays readable whatever the cache removes meanwhile.
    private func open(_ digest: String) -> OpenFile? {
        if let path = kept.path(of: digest) { return OpenFile(path) }
        return shelf.use(digest) ? OpenFile(shelf.path(of: digest)) : nil
    }

    // MARK: Taking copies

    private func take(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let digest = try admitted(request, context)
        guard let text = request.headers[.contentLength], let size = Int64(text),
            (0...PeerClient.blobMax).contains(size)
        else { throw HeadFailure(411, "length_required", "say how long the blob is") }
        guard transfers.take() else { throw PeerServer.busy }
        defer { transfers.giveBack() }
        try await kept.keep(digest, sizeInBytes: size) { draft in
            var file = try HashedFile(path: draft, sizeMax: size)
            for try await buffer in request.body {
                let result = buffer.withUnsafeReadableBytes { bytes in
                    Result { () throws(BlobStoreError) in try file.write(bytes) }
                }
                try result.get()
            }
            return try file.finish()
        }
        return Response(status: .ok)
    }

    // MARK: Who may

    private func admitted(
        _ request: Request, _ context: BasicRequestContext
    ) throws -> String {
        let digest = context.parameters.get("digest") ?? ""
        guard
            PeerPass.isGood(
                request.headers[.authorization] ?? "", for: request.method.rawValue, digest,
                secret: secret, now: PeerPass.now)
        else { throw HeadFailure(401, "unauthenticated", "a pass of this cluster is needed") }
        guard digest.isDigest else {
            throw HeadFailure(400, "invalid_digest", "a digest is 64 lower-case hex digits")
        }
        return digest
    }

    private static var busy: HeadFailure {
        HeadFailure(503, "busy", "\(transfersMax) blobs are on their way already")
    }
}

/// A place that is given back when nobody holds it any more.
private final class TakenPlace: Sendable {
    private let places: Places
    init(_ places: Places) { self.places = places }
    deinit { places.giveBack() }
}

/// A file that is read from its beginning on.
private final class OpenFile: Sendable {
    let sizeInBytes: Int64
    private let descriptor: Int32

    init?(_ path: String) {
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        sizeInBytes = Int64(end)
    }

    deinit { close(descriptor) }

    /// The next bytes, at least one and at most `countMax`.
    func read(_ countMax: Int) throws -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: countMax) { buffer, count in
            repeat {
                count = max(-1, Foundation.read(descriptor, buffer.baseAddress, countMax))
            } while count < 0 && errno == EINTR
            if count < 0 { count = 0 }
        }
        guard !bytes.isEmpty else {
            throw BlobStoreError.unavailable("a blob's file became shorter")
        }
        return bytes
    }
}
