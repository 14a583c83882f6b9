import Glibc
import Synchronization

/// One connected socket between a worker and a process of a job, either side's end of it.
///
/// One plain thread per connection waits for the socket; asynchronous code never blocks. The thread
/// is the only one that reads and closes the descriptor and ends at EOF, at an error or after
/// `close`.
package final class ChannelConnection: Sendable {
    /// A peer that takes no byte for this long while we have some to send is given up.
    package static let sendTimeout = Duration.seconds(30)
    /// How long `close` goes on sending what was queued.
    package static let closeTimeout = Duration.seconds(5)

    private let descriptor: Int32
    private let outbox: Outbox
    private let mailbox: Mailbox
    private let waker: Waker
    private let onPeerGone = Mutex(PeerWatch())

    private struct PeerWatch {
        var isGone = false
        var action: (@Sendable () -> Void)?
    }

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

    /// What the peer sends, in order; ends at EOF or `close`, throws when the peer breaks the
    /// format. One reader at a time; a second loop continues where the first one stopped.
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

    /// Suspends until the peer has read most of what was sent before, or the connection is broken.
    package func waitForRoom() async { await outbox.waitForRoom() }

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

    /// Calls `action` once, on the connection's own thread, as soon as the peer has closed its end:
    /// also while all of the concurrency pool computes and nobody reads `messages`. Not after
    /// `close`.
    package func whenPeerGone(_ action: @escaping @Sendable () -> Void) {
        let isGone = onPeerGone.withLock { watch in
            if !watch.isGone { watch.action = action }
            return watch.isGone
        }
        if isGone { action() }
    }

    private func notePeerGone() {
        let action = onPeerGone.withLock { watch in
            watch.isGone = true
            return watch.action.take()
        }
        if !outbox.isFinishing { action?() }
    }

    // MARK: The thread

    private func run() {
        defer {
            outbox.closeDescriptor()
            waker.close()
        }
        var reader = FrameReader()
        var isReadable = true
        var isPeerGone = false
        var closeDeadline: ContinuousClock.Instant?
        while true {
            if outbox.isFinishing {
                let deadline = closeDeadline ?? .now + Self.closeTimeout
                closeDeadline = deadline
                if !outbox.hasUnsent || ContinuousClock.now >= deadline { return }
            } else if !isReadable {
                return
            }
            let wantsToRead = isReadable && closeDeadline == nil
            guard let ready = wait(reading: wantsToRead, watching: !isPeerGone) else { return }
            if ready.canWrite { outbox.write() }
            if ready.canRead, !read(into: &reader) { isReadable = false }
            if !isPeerGone && (ready.hasHungUp || !isReadable) {
                isPeerGone = true
                notePeerGone()
            }
            if let stall = outbox.stall, stall > Self.sendTimeout {
                outbox.fail(.timedOut("the peer has read nothing for \(Self.sendTimeout)"))
            }
        }
    }

    /// Sleeps until something can be done, at most a second so that deadlines are seen.
    private func wait(
        reading: Bool, watching: Bool
    ) -> (canRead: Bool, canWrite: Bool, hasHungUp: Bool)? {
        var events: Int32 = 0
        if reading && mailbox.hasRoom { events |= POLLIN }
        if outbox.hasUnsent { events |= POLLOUT }
        // Left out when nothing is to be learned: a known POLLHUP would make this loop spin.
        let isAsked = events != 0 || watching
        var entries = [
            pollfd(fd: isAsked ? descriptor : -1, events: Int16(events), revents: 0),
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
            canWrite: events & POLLOUT != 0 && (ended || happened & POLLOUT != 0),
            hasHungUp: ended
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
