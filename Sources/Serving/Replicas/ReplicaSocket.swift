import Glibc
import Synchronization

/// One end of the socket between a gateway and a replica: whole frames, both ways.
///
/// Frames are sent by whoever has one, at once where the socket takes them; what it does not take
/// is sent by a thread of the socket's own, in order. What comes in is read by another one, which
/// hands on frame after frame. What waits to be sent is bounded by what the router lets in.
final class ReplicaSocket: Sendable {
    private struct Outgoing {
        var waiting: [UInt8] = []
        var offset = 0
        var isClosed = false
        /// No more will be sent, once the waiting bytes are.
        var isEnding = false
    }

    private let descriptor: Int32
    private let outgoing = Mutex(Outgoing())
    private let isRunning = Atomic<Bool>(false)

    /// Takes over a connected stream socket.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    /// Two connected ends; no exec inherits them unless told so.
    static func makePair() throws(GatewayError) -> (ours: Int32, theirs: Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw .storage("no socket for a replica: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    /// Closes an end that no socket has taken over.
    static func close(_ descriptor: Int32) { Glibc.close(descriptor) }

    /// Reads until the other end closes, on a thread of its own; `onEnd` comes last, once.
    func start(
        onFrame: @escaping @Sendable (ReplicaFrame) -> Void,
        onEnd: @escaping @Sendable (String) -> Void
    ) {
        let isFirst = !isRunning.exchange(true, ordering: .relaxed)
        precondition(isFirst, "a socket is read once")
        let hasStarted = Self.startThread { [self] in
            let cause = readAll(onFrame)
            outgoing.withLock { $0.isClosed = true }
            onEnd(cause)
        }
        if !hasStarted {
            close()
            onEnd("the system has no thread left")
        }
    }

    /// Sends a frame, after all earlier ones. Into a closed socket it goes nowhere.
    func send(_ frame: ReplicaFrame) {
        let bytes = frame.encoded()
        let startsThread = outgoing.withLock { outgoing -> Bool in
            guard !outgoing.isClosed, !outgoing.isEnding else { return false }
            guard outgoing.waiting.isEmpty else {
                outgoing.waiting += bytes
                return false
            }
            let sent = write(bytes, from: 0)
            guard sent >= 0 else {
                outgoing.isClosed = true
                return false
            }
            guard sent < bytes.count else { return false }
            outgoing.waiting = Array(bytes[sent...])
            return true
        }
        if startsThread, !Self.startThread({ [self] in flush() }) { close() }
    }

    /// Ends the sending side after what waits; the other end reads to its end and then closes.
    func finish() {
        outgoing.withLock { outgoing in
            outgoing.isEnding = true
            if outgoing.waiting.isEmpty { shutdown(descriptor, Int32(SHUT_WR)) }
        }
    }

    /// Ends both sides at once.
    func close() {
        outgoing.withLock { $0.isClosed = true }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    // MARK: The two threads

    /// Sends what waits; ends when nothing does.
    private func flush() {
        while true {
            var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&polled, 1, -1)
            let isDone = outgoing.withLock { outgoing -> Bool in
                guard !outgoing.isClosed else { return true }
                let sent = write(outgoing.waiting, from: outgoing.offset)
                guard sent >= 0 else {
                    outgoing.isClosed = true
                    return true
                }
                outgoing.offset += sent
                guard outgoing.offset == outgoing.waiting.count else { return false }
                outgoing.waiting = []
                outgoing.offset = 0
                if outgoing.isEnding { shutdown(descriptor, Int32(SHUT_WR)) }
                return true
            }
            if isDone { return }
        }
    }

    /// Bytes the socket took, 0 when it is full, -1 when it is broken.
    private func write(_ bytes: [UInt8], from offset: Int) -> Int {
        var done = offset
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress?.advanced(by: done), $0.count - done,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            if count < 0 { return -1 }
            done += count
        }
        return done - offset
    }

    private func readAll(_ onFrame: (ReplicaFrame) -> Void) -> String {
        var assembler = FrameAssembler()
        // As large as a socket's buffer, so that one call empties it.
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = recv(descriptor, chunk.baseAddress, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return String(cString: strerror(errno)) }
            if count == 0 { return "the connection ended" }
            assembler.append(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            do throws(FrameFault) {
                while let frame = try assembler.next() { onFrame(frame) }
            } catch {
                close()
                return error.description
            }
        }
    }

    /// False when the system has no thread left.
    private static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
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
            return false
        }
        pthread_detach(thread)
        return true
    }
}
