import JobChannel
import Jobs

/// Answers what a job's process asks about blobs.
struct BlobDesk: Sendable {
    let cache: BlobCache
    /// The only folder offered files are taken from.
    let scratchDirectory: String

    /// Takes an offered file or finds a wanted blob, and answers on the connection.
    func answer(_ header: ChannelMessage.Header, on connection: ChannelConnection) async {
        do {
            switch header {
            case .blobOffered(let request, let digest, let path):
                guard path.hasPrefix(scratchDirectory + "/"), !path.contains("/../") else {
                    return refuse(request, "\(path) is not in the scratch folder", on: connection)
                }
                let home = try await cache.take(fileAt: path, expecting: digest)
                try connection.send(ChannelMessage(.blobReady(request: request, path: home)))
            case .blobWanted(let request, let digest):
                let path = try await cache.path(of: digest)
                try connection.send(ChannelMessage(.blobReady(request: request, path: path)))
            default:
                return
            }
        } catch let error as ChannelError {
            // The process is gone; its end is seen elsewhere.
            _ = error
        } catch {
            if let request = header.blobRequest { refuse(request, "\(error)", on: connection) }
        }
    }

    private func refuse(_ request: UInt64, _ reason: String, on connection: ChannelConnection) {
        try? connection.send(ChannelMessage(.refused(request: request, reason: reason)))
    }
}

extension ChannelMessage.Header {
    fileprivate var blobRequest: UInt64? {
        switch self {
        case .blobOffered(let request, _, _), .blobWanted(let request, _): request
        default: nil
        }
    }
}
