import Glibc

/// The few calls on sockets and pipes this room needs, with errors that say what failed.
enum UnixSocket {
    /// `sockaddr_un.sun_path` has 108 bytes, the last one a zero.
    static let pathMax = 107

    static func make() throws(ChannelError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | closeOnExec | nonBlocking
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        return descriptor
    }

    static func bind(_ descriptor: Int32, to path: String) throws(ChannelError) {
        let result = try withAddress(path) { Glibc.bind(descriptor, $0, $1) }
        guard result == 0 else { throw failure("bind \(path)") }
    }

    /// Answers false when the listener's backlog is full and the call should be tried again.
    static func connect(_ descriptor: Int32, to path: String) throws(ChannelError) -> Bool {
        let result = try withAddress(path) { Glibc.connect(descriptor, $0, $1) }
        if result == 0 { return true }
        if errno == EAGAIN || errno == EINTR { return false }
        throw failure("connect \(path)")
    }

    /// Two ends that wake a thread out of `poll`: write a byte to the second, poll the first.
    static func makeWakePair() throws(ChannelError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | closeOnExec | nonBlocking
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw failure("socketpair") }
        return (ends[0], ends[1])
    }

    /// A full buffer is as good as one more byte: the thread will wake.
    static func wake(_ descriptor: Int32) {
        var byte: UInt8 = 1
        _ = Glibc.send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    static func emptyWakeEnd(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 64)
        while Glibc.read(descriptor, &bytes, bytes.count) > 0 {}
    }

    static func setNonBlocking(_ descriptor: Int32) throws(ChannelError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw failure("fcntl")
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    static func failure(_ operation: String) -> ChannelError {
        let code = errno
        return .system(operation: operation, code: code, reason: String(cString: strerror(code)))
    }

    static let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
    static let nonBlocking = Int32(SOCK_NONBLOCK.rawValue)

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(ChannelError) -> Int32 {
        try check(path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    static func check(_ path: String) throws(ChannelError) {
        let size = path.utf8.count
        guard size > 0, !path.utf8.contains(0) else {
            throw .unusablePath(path, reason: "it is empty or contains a zero byte")
        }
        guard size <= pathMax else {
            throw .unusablePath(
                path,
                reason: "it has \(size) bytes and a socket's path at most \(pathMax); "
                    + "choose a shorter state directory")
        }
    }
}

/// Runs `body` on a thread of its own, outside the pool that serves asynchronous code.
package func startThread(_ body: @escaping @Sendable () -> Void) throws(ChannelError) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let argument = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, argument.toOpaque())
    guard code == 0 else {
        argument.release()
        throw .system(
            operation: "start a thread", code: code, reason: String(cString: strerror(code)))
    }
    pthread_detach(thread)
}
