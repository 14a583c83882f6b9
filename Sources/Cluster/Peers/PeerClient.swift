import Foundation
import HTTPClient
import Jobs

/// Fetches large blobs from workers that have them, and leaves copies with them.
struct PeerClient: Sendable {
    private let store: any JobStore
    private let secret: String
    /// The address it is reached at itself, which is not asked; nil: at none.
    private let ownAddress: @Sendable () -> String?
    private let sizeMax: Int64
    private let http: HTTPClient

    /// Workers asked for one blob, or to keep one.
    static let peersMax = 3
    /// From the first byte to the last of one blob.
    static let timeMax = Duration.seconds(900)
    /// A peer that sends nothing for so long is given up.
    static let idleMax = Duration.seconds(10)
    /// A blob has at most this many bytes, as in an origin.
    static let blobMax: Int64 = 64 << 30

    /// - Parameter sizeMax: bytes of one blob that are fetched.
    init(
        store: any JobStore, secret: String, sizeMax: Int64 = PeerClient.blobMax,
        ownAddress: @escaping @Sendable () -> String? = { nil }
    ) {
        self.sizeMax = sizeMax
        self.store = store
        self.secret = secret
        self.ownAddress = ownAddress
        var configuration = HTTPClientConfiguration()
        // They are near; one that is gone must not hold up those that are not.
        configuration.connectTimeout = .seconds(2)
        http = HTTPClient(configuration)
    }

    /// Writes a blob, verified, to a new file at `path`; false when no worker offers it.
    ///
    /// - Throws: `.unavailable` when none of those that offer it gave it, naming why; `.full`.
    ///   There is no file then.
    func fetch(_ digest: String, toFileAt path: String) async throws -> Bool {
        var causes: [String] = []
        for peer in try await peers({ $0.mentions(digest) }).prefix(PeerClient.peersMax) {
            do {
                try await copy(digest, from: peer.address, to: path)
                return true
            } catch BlobStoreError.full(let cause) {
                throw BlobStoreError.full(cause)
            } catch {
                if Task.isCancelled { throw CancellationError() }
                causes.append("\(peer.address): \(error)")
            }
        }
        if causes.isEmpty { return false }
        throw BlobStoreError.unavailable(
            "no worker that offers \(digest) gave it (\(causes.joined(separator: "; ")))")
    }

    /// Whether a worker that offers the blob has it.
    func holds(_ digest: String) async throws -> Bool {
        for peer in try await peers({ $0.mentions(digest) }).prefix(PeerClient.peersMax) {
            var request = request(.head, digest, at: peer.address)
            request.timeout = PeerClient.idleMax
            if let answer = try? await http.send(request), answer.status == 200 { return true }
        }
        return false
    }

    /// Leaves copies of a file with up to `count` workers; answers how many have one.
    func leave(_ digest: String, fileAt path: String, copies count: Int) async throws -> Int {
        var kept = 0
        for peer in try await peers({ _ in true }).prefix(PeerClient.peersMax) where kept < count {
            var request = request(.put, digest, at: peer.address)
            request.body = .file(path: path)
            if let answer = try? await http.send(request), answer.isSuccess { kept += 1 }
            try Task.checkCancellation()
        }
        return kept
    }

    /// In a new order each time, so that no worker serves all others.
    private func peers(_ isWanted: (PeerOffer) -> Bool) async throws -> [PeerOffer] {
        let own = ownAddress()
        return try await store.workers().compactMap(\.peer).filter {
            $0.address != own && isWanted($0)
        }.shuffled()
    }

    private func request(
        _ method: HTTPRequest.Method, _ digest: String, at address: String
    ) -> HTTPRequest {
        let pass = PeerPass.make(method.rawValue, digest, secret: secret, now: PeerPass.now)
        var request = HTTPRequest(
            method, "http://\(address)/blobs/\(digest)", headers: ["Authorization": pass],
            timeout: PeerClient.timeMax, bodyMax: 64 << 10)
        request.idleTimeout = PeerClient.idleMax
        return request
    }

    private func copy(_ digest: String, from address: String, to path: String) async throws {
        let answer = try await http.stream(request(.get, digest, at: address))
        guard answer.status == 200 else { throw PeerFailure.status(answer.status) }
        var file = try HashedFile(path: path, sizeMax: sizeMax)
        do {
            for try await chunk in answer.chunks {
                let result = chunk.withUnsafeBytes { bytes in
                    Result { () throws(BlobStoreError) in try file.write(bytes) }
                }
                try result.get()
            }
            guard try file.finish().digest == digest else { throw PeerFailure.otherBytes }
        } catch {
            unlink(path)
            throw error
        }
    }
}

/// Why a peer's answer is of no use.
private enum PeerFailure: Error, CustomStringConvertible {
    case status(Int)
    case otherBytes

    var description: String {
        switch self {
        case .status(let status): "it answered with status \(status)"
        case .otherBytes: "it sent other bytes"
        }
    }
}
