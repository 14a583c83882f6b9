import Glibc
import Synchronization

/// The unsent bytes of one connection, and the descriptor they go to.
///
/// Whoever sends writes at once what the socket takes; the rest waits for the connection's thread.
/// The descriptor is written and closed under one lock, so that no byte reaches a stranger's file.
final class Outbox: Sendable {
    /// The bound of what waits unsent: a thousand tasks with the largest inline inputs.
    static let bytesMax = 64 << 20
    /// `waitForRoom` lets a sender go on below this.
    static let roomMark = 1 << 20

    private struct State {
        var descriptor: Int32
        var frames: [[UInt8]] = []
        /// Bytes of the first frame that are already sent.
        var sentOfFirst = 0
        var bytes = 0
        var failure: ChannelError?
        /// No more frames are taken; those here are still sent.
        var isFinishing = false
        var lastProgress = ContinuousClock.now
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(descriptor: Int32) {
        state = Mutex(State(descriptor: descriptor))
    }

    /// Takes a whole frame and sends what can be sent without waiting.
    ///
    /// - Returns: true when something is left for the thread.
    /// - Throws: `closed`, the error that broke the connection, or `tooLarge` when the peer reads
    ///   so slowly that the bound is reached.
    func put(_ frame: [UInt8]) throws(ChannelError) -> Bool {
        try state.withLock { state throws(ChannelError) -> Bool in
            if let failure = state.failure { throw failure }
            guard !state.isFinishing else { throw .closed }
            try Frame.check(
                "the queue of unsent frames", state.bytes + frame.count, isAtMost: Self.bytesMax)
            if state.frames.isEmpty { state.lastProgress = .now }
            state.frames.append(frame)
            state.bytes += frame.count
            if state.frames.count == 1 { Self.write(&state) }
            return !state.frames.isEmpty
        }
    }

    /// Sends what the socket takes now. The thread calls it when the socket is writable.
    func write() {
        let waiters = state.withLock { state in
            Self.write(&state)
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    private static func write(_ state: inout State) {
        while let frame = state.frames.first, state.failure == nil {
            let sent = frame.withUnsafeBytes { bytes in
                Glibc.send(
                    state.descriptor, bytes.baseAddress.map { $0 + state.sentOfFirst },
                    bytes.count - state.sentOfFirst, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { fail(&state, errno == EPIPE ? .closed : lastError()) }
                return
            }
            state.lastProgress = .now
            state.bytes -= sent
            state.sentOfFirst += sent
            if state.sentOfFirst == frame.count {
                state.frames.removeFirst()
                state.sentOfFirst = 0
            }
        }
    }

    private static func lastError() -> ChannelError { UnixSocket.failure("send") }

    private static func fail(_ state: inout State, _ error: ChannelError) {
        state.failure = error
        state.frames.removeAll()
        state.bytes = 0
        state.sentOfFirst = 0
    }

    private static func takeWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.bytes < roomMark || state.failure != nil else { return [] }
        defer { state.waiters.removeAll() }
        return state.waiters
    }

    /// Suspends until little is left unsent, or the connection is broken.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if state.bytes < Self.roomMark || state.failure != nil { return true }
                state.waiters.append(continuation)
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    var hasUnsent: Bool { state.withLock { !$0.frames.isEmpty } }
    var isFinishing: Bool { state.withLock { $0.isFinishing } }

    /// How long the first unsent byte has made no progress; nil when all is sent.
    var stall: Duration? {
        state.withLock { $0.frames.isEmpty ? nil : ContinuousClock.now - $0.lastProgress }
    }

    func finish() {
        state.withLock { $0.isFinishing = true }
    }

    /// Drops what is unsent; every later `put` throws `error`.
    func fail(_ error: ChannelError) {
        let waiters = state.withLock { state in
            if state.failure == nil { Self.fail(&state, error) }
            return Self.takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The last act of the connection's thread.
    func closeDescriptor() {
        fail(.closed)
        state.withLock { state in
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }
}
