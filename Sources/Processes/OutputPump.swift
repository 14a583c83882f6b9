internal import CLinuxProcess
import Glibc
import Synchronization

/// Reads a child's two pipes until both end, and hands every line on in order per stream.
///
/// One thread per child. The handler may block: the child then blocks on its full pipe, which is
/// how a flood is kept out of memory.
package final class OutputPump: Sendable {
    package enum Stream: Sendable { case out, err }

    private struct State {
        var isFinished = false
        /// The two pipes, until the thread closes them.
        var pipes: [Int32] = []
        /// Whether the thread holds bytes that are not handed on yet.
        var isReading = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var draining: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())
    /// A byte here makes the thread look for callers of `drain`.
    private let wakeups: (read: Int32, write: Int32)

    /// - Parameter handler: called on the pump's thread.
    /// - Throws: `ProcessError` when no descriptors are left; the child's two are then closed.
    package init(
        standardOutput: Int32, standardError: Int32,
        handler: @escaping @Sendable (Stream, LineSplitter.Line) -> Void
    ) throws(ProcessError) {
        var ends: [Int32] = [-1, -1]
        guard manta_pipe(&ends) == 0 else {
            let code = errno
            for descriptor in [standardOutput, standardError] { close(descriptor) }
            throw ProcessError("what reads a program's output", errno: code)
        }
        wakeups = (ends[0], ends[1])
        state.withLock { $0.pipes = [standardOutput, standardError] }
        startThread(named: "output") { [self] in
            pump(standardOutput, standardError, handler)
            finish()
        }
    }

    deinit {
        close(wakeups.read)
        close(wakeups.write)
    }

    /// Returns when both streams have ended and every line was handed on.
    package func wait() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiting.append(continuation) }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }

    /// Returns when everything the child wrote before this call was read, and its complete lines
    /// were handed on.
    package func drain() async {
        if state.withLock({ OutputPump.isDry($0) }) { return }
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.draining.append(continuation) }
                return state.isFinished
            }
            if isFinished {
                continuation.resume()
            } else {
                var byte: UInt8 = 1
                _ = write(wakeups.write, &byte, 1)
            }
        }
    }

    /// Whether nothing is on its way. Most tasks print nothing, and cost no wake-up then.
    private static func isDry(_ state: State) -> Bool {
        guard !state.isReading else { return false }
        return state.pipes.allSatisfy { descriptor in
            var count: Int32 = 0
            return ioctl(descriptor, UInt(FIONREAD), &count) == 0 && count == 0
        }
    }

    private func closePipe(_ descriptor: Int32) {
        state.withLock { state in
            state.pipes.removeAll { $0 == descriptor }
            close(descriptor)
        }
    }

    private func pump(
        _ standardOutput: Int32, _ standardError: Int32,
        _ handler: (Stream, LineSplitter.Line) -> Void
    ) {
        var splitters = [LineSplitter(), LineSplitter()]
        let streams: [Stream] = [.out, .err]
        var polled = [standardOutput, standardError, wakeups.read].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while polled[0].fd >= 0 || polled[1].fd >= 0 {
            guard poll(&polled, 3, -1) >= 0 || errno == EINTR else { break }
            var readSomething = false
            state.withLock { $0.isReading = true }
            defer { state.withLock { $0.isReading = false } }
            for index in 0..<2 where polled[index].fd >= 0 && polled[index].revents != 0 {
                readSomething = true
                let count = read(polled[index].fd, buffer.baseAddress, buffer.count)
                if count < 0 && errno == EINTR { continue }
                if count > 0 {
                    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                    for line in splitters[index].take(bytes) { handler(streams[index], line) }
                } else {
                    closePipe(polled[index].fd)
                    polled[index].fd = -1
                    if let last = splitters[index].finish() { handler(streams[index], last) }
                }
            }
            // Answered only on a round in which both pipes were empty.
            if !readSomething && polled[2].revents != 0 {
                _ = read(wakeups.read, buffer.baseAddress, 512)
                for caller in takeDraining() { caller.resume() }
            }
        }
    }

    private func takeDraining() -> [CheckedContinuation<Void, Never>] {
        state.withLock { state in
            defer { state.draining = [] }
            return state.draining
        }
    }

    private func finish() {
        let callers = state.withLock { state in
            state.isFinished = true
            defer { (state.waiting, state.draining) = ([], []) }
            return state.waiting + state.draining
        }
        for caller in callers { caller.resume() }
    }
}
