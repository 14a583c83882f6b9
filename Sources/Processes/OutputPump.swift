import Glibc

/// Reads a child's two pipes until both end, and hands every line on in order per stream.
///
/// One thread per child. The handler may block: the child then blocks on its full pipe, which is how
/// a flood is kept out of memory.
package final class OutputPump: Sendable {
    package enum Stream: Sendable { case out, err }

    private let finished = AsyncStream<Void>.makeStream()

    /// - Parameter handler: called on the pump's thread.
    package init(
        standardOutput: Int32, standardError: Int32,
        handler: @escaping @Sendable (Stream, LineSplitter.Line) -> Void
    ) {
        let continuation = finished.continuation
        startThread(named: "output") {
            OutputPump.pump(standardOutput, standardError, handler)
            continuation.finish()
        }
    }

    /// Returns when both streams have ended and every line was handed on.
    package func wait() async {
        for await _ in finished.stream {}
    }

    private static func pump(
        _ standardOutput: Int32, _ standardError: Int32,
        _ handler: (Stream, LineSplitter.Line) -> Void
    ) {
        var splitters = [LineSplitter(), LineSplitter()]
        let streams: [Stream] = [.out, .err]
        var polled = [
            pollfd(fd: standardOutput, events: Int16(POLLIN), revents: 0),
            pollfd(fd: standardError, events: Int16(POLLIN), revents: 0),
        ]
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while polled.contains(where: { $0.fd >= 0 }) {
            guard poll(&polled, 2, -1) >= 0 || errno == EINTR else { break }
            for index in 0..<2 where polled[index].fd >= 0 && polled[index].revents != 0 {
                let count = read(polled[index].fd, buffer.baseAddress, buffer.count)
                if count < 0 && errno == EINTR { continue }
                if count > 0 {
                    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                    for line in splitters[index].take(bytes) { handler(streams[index], line) }
                } else {
                    close(polled[index].fd)
                    polled[index].fd = -1
                    if let last = splitters[index].finish() { handler(streams[index], last) }
                }
            }
        }
    }
}
