import Foundation
import JobChannel
import Jobs

/// Answers what one job's process asks about blobs.
actor BlobDesk {
    /// Requests answered at once; while there are so many, the process's channel is not read.
    static let requestsMax = 16

    private let cache: BlobCache
    /// The only folder offered files are taken from.
    private let scratchDirectory: String
    /// What the process was told of, and its own binary, stay in the cache as long as this desk.
    private let hold: BlobHold
    private var running = 0

    /// - Parameter binary: the path of the program that the process runs, in the cache or not.
    init(cache: BlobCache, scratchDirectory: String, binary: String? = nil) {
        self.cache = cache
        self.scratchDirectory = scratchDirectory
        hold = BlobHold(cache.shelf)
        if let name = binary.map({ ($0 as NSString).lastPathComponent }), name.isDigest {
            hold.add(name)
        }
    }

    /// Takes an offered file or finds a wanted blob, and answers on the connection: later, unless
    /// many requests run already.
    func serve(_ header: ChannelMessage.Header, on connection: ChannelConnection) async {
        guard running < BlobDesk.requestsMax else { return await answer(header, on: connection) }
        running += 1
        Task {
            await answer(header, on: connection)
            running -= 1
        }
    }

    private func answer(
        _ header: ChannelMessage.Header, on connection: ChannelConnection
    ) async {
        guard let request = header.blobRequest else { return }
        let reply: ChannelMessage.Header
        do {
            reply = .blobReady(request: request, path: try await home(of: header))
        } catch {
            reply = .refused(request: request, reason: "\(error)")
        }
        // When the process is gone nobody needs the answer; its end is seen elsewhere.
        try? connection.send(ChannelMessage(reply))
    }

    private func home(of header: ChannelMessage.Header) async throws -> String {
        switch header {
        case .blobOffered(_, let digest, let path):
            let file = try offeredFile(path)
            return try await Patience.whileStoreIsAway {
                try await cache.take(fileAt: file, expecting: digest, heldBy: hold)
            }
        case .blobWanted(_, let digest):
            return try await Patience.whileStoreIsAway {
                try await cache.path(of: digest, heldBy: hold)
            }
        default:
            throw BlobRefusal(reason: "no blob was offered or wanted")
        }
    }

    /// The offered file's own path, without links.
    ///
    /// - Throws: `BlobRefusal` unless it is a plain file with one name inside the scratch folder:
    ///   through a link, the cache would keep what somebody can still change, or a file of others.
    private func offeredFile(_ path: String) throws -> String {
        let name = (path as NSString).lastPathComponent
        guard path.hasPrefix("/"), !path.utf8.contains(0), name != "..", name != ".", name != "/",
            let folder = realpath((path as NSString).deletingLastPathComponent),
            let scratch = realpath(scratchDirectory),
            folder == scratch || folder.hasPrefix(scratch + "/")
        else { throw BlobRefusal(reason: "\(path) is not in the scratch folder") }
        let file = "\(folder)/\(name)"
        guard let status = FileStatus(file), status.kind == .file, status.linkCount == 1 else {
            throw BlobRefusal(reason: "\(path) is no plain file with one name")
        }
        return file
    }

    private func realpath(_ path: String) -> String? {
        guard let resolved = Foundation.realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Why an offered file is not taken.
struct BlobRefusal: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}

extension ChannelMessage.Header {
    fileprivate var blobRequest: UInt64? {
        switch self {
        case .blobOffered(let request, _, _), .blobWanted(let request, _): request
        default: nil
        }
    }
}
