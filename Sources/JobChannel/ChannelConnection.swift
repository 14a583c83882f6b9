import Glibc
import Synchronization

/// One connected socket between a worker and a process of a job, either side's end of it.
///
/// One plain thread per connection waits for the socket; asynchronous code never blocks. The thread
/// is the only one that reads and closes the descriptor and ends at EOF, at an error or after `close`.
package final class ChannelConnection: Sendable {
    /// A peer that takes no byte for this long while we have some to send is given up.
    package static let sendTimeout = Duration.seconds(30)
    /// How long `close` goes on sending what was queued.
    package static let closeTimeout = Duration.seconds(5)

    private let descriptor: Int32
    private let outbox: Outbox
    private let mailbox: Mailbox
    private let waker: Waker

    /// Takes over a connected stream socket, in whatever mode it is. Stays the caller's on failure.
    package init(adopting descriptor: Int32) throws(ChannelError) {
        try UnixSocket.setNonBlocking(descriptor)
        let waker = try Waker()
        self.descriptor = descriptor
        self.waker = waker
        outbox = Outbox(descriptor: descriptor)
        mailbox = Mailbox(onRoom: { waker.wake() })
        do throws(ChannelError) {
            try startThread { [self] in run() }
        } catch {
            waker.close()
            throw error
        }
    }

    /// What the peer sends, in order; ends at EOF or `close`, throws when the peer breaks the format.
    /// One reader at a time; a second loop continues where the first one stopped.
    package var messages: AsyncThrowingStream<ChannelMessage, any Error> {
        AsyncThrowingStream { [mailbox] in try await mailbox.next() }
    }

    /// Queues one whole frame; frames leave in the order of the calls. Never blocks.
    ///
    /// - Throws: `closed`; `tooLarge` when a part of the message, or the queue of a peer that does
    ///   not read, is over its bound.
    package func send(_ message: ChannelMessage) throws(ChannelError) {
        if try outbox.put(Frame.encode(message)) { waker.wake() }
    }

    /// As `send`, but first waits until the peer has read most of what was sent before.
    package func sendInTurn(_ message: ChannelMessage) async throws(ChannelError) {
        await outbox.waitForRoom()
        try send(message)
    }

    /// Waits until all that was sent is with the operating system, or the connection is broken.
    package func flush() async {
        while outbox.hasUnsent {
            await outbox.waitForRoom()
            // Under the mark there is at most 1 MiB left, which leaves in milliseconds.
            if outbox.hasUnsent { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }

    /// Ends `messages` at once, sends what is queued within `closeTimeout`, then closes the socket.
    package func close() {
        mailbox.finish()
        outbox.finish()
        waker.wake()
    }

    // MARK: The thread

    private func run() {
        defer {
            outbox.closeDescriptor()
            waker.close()
        }
        var reader = FrameReader()
        var isReadable = true
        var closeDeadline: ContinuousClock.Instant?
        while true {
            if outbox.isFinishing {
                let deadline = closeDeadline ?? .now + Self.closeTimeout
                closeDeadline = deadline
                if !outbox.hasUnsent || ContinuousClock.now >= deadline { return }
            } else if !isReadable {
                return
            }
            guard let ready = wait(reading: isReadable && closeDeadline == nil) else { return }
            if ready.canWrite { outbox.write() }
            if ready.canRead, !read(into: &reader) { isReadable = false }
            if let stall = outbox.stall, stall > Self.sendTimeout {
                outbox.fail(.timedOut("the peer has read nothing for \(Self.sendTimeout)"))
            }
        }
    }

    /// Sleeps until something can be done, at most a second so that deadlines are seen.
    private func wait(reading: Bool) -> (canRead: Bool, canWrite: Bool)? {
        var events: Int32 = 0
        if reading && mailbox.hasRoom { events |= POLLIN }
        if outbox.hasUnsent { events |= POLLOUT }
        // Without a wish the socket is left out: its POLLHUP would make this loop spin.
        var entries = [
            pollfd(fd: events == 0 ? -1 : descriptor, events: Int16(events), revents: 0),
            pollfd(fd: waker.readEnd, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&entries, 2, 1_000) >= 0 || errno == EINTR else {
            mailbox.finish(UnixSocket.failure("poll"))
            return nil
        }
        if entries[1].revents != 0 { waker.empty() }
        let happened = Int32(entries[0].revents)
        let ended = happened & (POLLHUP | POLLERR | POLLNVAL) != 0
        return (
            canRead: events & POLLIN != 0 && (ended || happened & POLLIN != 0),
            canWrite: events & POLLOUT != 0 && (ended || happened & POLLOUT != 0)
        )
    }

    /// Answers false when nothing more can be read.
    private func read(into reader: inout FrameReader) -> Bool {
        let chunkSize = 64 << 10
        var count = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: chunkSize) { buffer, initializedCount in
            count = recv(descriptor, buffer.baseAddress, chunkSize, 0)
            initializedCount = max(0, count)
        }
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { return true }
            mailbox.finish(errno == ECONNRESET ? nil : UnixSocket.failure("recv"))
            return false
        }
        if count == 0 {
            mailbox.finish(
                reader.isBetweenFrames ? nil : .malformed("the stream ended inside a frame"))
            return false
        }
        do {
            reader.append(chunk)
            while let message = try reader.next() { mailbox.put(message) }
            return true
        } catch {
            mailbox.finish(error)
            return false
        }
    }
}

/// Wakes a thread that sleeps in `poll`. Safe to use after the thread has ended.
final class Waker: Sendable {
    let readEnd: Int32
    private let writeEnd: Mutex<Int32>

    init() throws(ChannelError) {
        let ends = try UnixSocket.makeWakePair()
        readEnd = ends.read
        writeEnd = Mutex(ends.write)
    }

    func wake() {
        writeEnd.withLock { if $0 >= 0 { UnixSocket.wake($0) } }
    }

    func empty() { UnixSocket.emptyWakeEnd(readEnd) }

    /// Called once, by the thread itself.
    func close() {
        writeEnd.withLock { end in
            if end >= 0 { Glibc.close(end) }
            end = -1
        }
        Glibc.close(readEnd)
    }
}
