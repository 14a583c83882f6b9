/// What can go wrong between a worker and a process of its job.
package enum ChannelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The peer sent bytes that are no frame of ours.
    case malformed(String)
    /// The peer's frames have a layout this build does not know.
    case unknownFrameVersion(UInt8)
    /// The two sides speak different versions of the messages.
    case protocolMismatch(ours: Int, theirs: Int)
    /// A part of a frame, or the queue of unsent frames, is larger than its bound.
    case tooLarge(what: String, bytes: Int, limit: Int)
    /// The connection is closed, by us or by the peer.
    case closed
    /// The peer did not read, answer or accept in time.
    case timedOut(String)
    /// The peer answered the handshake with a refusal.
    case refused(String)
    /// A socket cannot be made or reached at this path.
    case unusablePath(String, reason: String)
    /// The operating system said no.
    case system(operation: String, code: Int32, reason: String)

    package var description: String {
        switch self {
        case .malformed(let reason): "malformed frame: \(reason)"
        case .unknownFrameVersion(let version):
            "the peer sent frame version \(version); this build reads version \(Frame.version)"
        case .protocolMismatch(let ours, let theirs):
            "this side speaks job channel version \(ours), the other version \(theirs): "
                + "run a worker and a job built by the same release of Manta"
        case .tooLarge(let what, let bytes, let limit):
            "\(what) has \(bytes) bytes; at most \(limit) are allowed"
        case .closed: "the job channel is closed"
        case .timedOut(let what): "timed out: \(what)"
        case .refused(let reason): "the worker refused the connection: \(reason)"
        case .unusablePath(let path, let reason): "cannot use the socket \(path): \(reason)"
        case .system(let operation, _, let reason): "\(operation): \(reason)"
        }
    }
}
