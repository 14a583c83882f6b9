import Glibc
import Synchronization

/// The worker's end: a socket file that its job's processes connect to.
///
/// The file is 0600 in a folder that is 0700, so that only this user reaches it; `hello`'s token
/// then says which process it is.
package final class ChannelListener: Sendable {
    /// Connections that wait unaccepted or unread; more are closed at once.
    package static let backlog = 256

    package let path: String
    /// Each new connection, before its `hello`. One reader. Ends after `close`.
    package let connections: AsyncStream<ChannelConnection>

    private let continuation: AsyncStream<ChannelConnection>.Continuation
    private let descriptor: Int32
    private let waker: Waker
    private let isClosed = Mutex(false)

    /// Makes the folder when it is missing and takes the place of a stale socket file.
    ///
    /// - Throws: `unusablePath` when the path is over 107 bytes, something else than a socket
    ///   stands there, or the folder is open to others.
    package init(path: String) throws(ChannelError) {
        try UnixSocket.check(path)
        try Self.prepareFolder(of: path)
        try Self.removeStaleSocket(at: path)
        self.path = path
        descriptor = try UnixSocket.make()
        do throws(ChannelError) {
            try UnixSocket.bind(descriptor, to: path)
            guard chmod(path, 0o600) == 0 else { throw UnixSocket.failure("chmod \(path)") }
            guard listen(descriptor, Int32(Self.backlog)) == 0 else {
                throw UnixSocket.failure("listen \(path)")
            }
            waker = try Waker()
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        (connections, continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Self.backlog))
        try startThread { [self] in run() }
    }

    /// Removes the file; connections that stand already are not touched.
    package func close() {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        guard isFirst else { return }
        unlink(path)
        waker.wake()
    }

    private func run() {
        defer {
            Glibc.close(descriptor)
            continuation.finish()
            waker.close()
        }
        while !isClosed.withLock({ $0 }) {
            var entries = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: waker.readEnd, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) >= 0 || errno == EINTR else { return }
            if entries[1].revents != 0 { waker.empty() }
            if entries[0].revents != 0 { acceptAll() }
        }
    }

    private func acceptAll() {
        while true {
            let accepted = accept(descriptor, nil, nil)
            if accepted < 0 {
                // Out of descriptors: the connection stays in the backlog; do not spin on it.
                if errno == EMFILE || errno == ENFILE || errno == ENOMEM { usleep(50_000) }
                return
            }
            guard let connection = try? ChannelConnection(adopting: accepted) else {
                // Without a thread or a pipe there is no way to serve it: the peer sees EOF.
                Glibc.close(accepted)
                continue
            }
            if case .enqueued = continuation.yield(connection) { continue }
            connection.close()
        }
    }

    private static func prepareFolder(of path: String) throws(ChannelError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard !folder.isEmpty else { return }
        if mkdir(folder, 0o700) == 0 { return }
        guard errno == EEXIST else { throw UnixSocket.failure("mkdir \(folder)") }
        var status = stat()
        guard stat(folder, &status) == 0 else { throw UnixSocket.failure("stat \(folder)") }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o077 == 0 else {
            throw .unusablePath(path, reason: "\(folder) must be a folder with mode 0700")
        }
    }

    private static func removeStaleSocket(at path: String) throws(ChannelError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw .unusablePath(path, reason: "a file that is no socket stands there")
        }
        guard unlink(path) == 0 else { throw UnixSocket.failure("unlink \(path)") }
    }
}
