import Glibc
import Testing

@testable import JobChannel

@Suite(.timeLimit(.minutes(1))) struct ChannelConnectionTests {
    static func makePair() throws -> (ChannelConnection, ChannelConnection) {
        let ends = try makeSocketPair()
        return (
            try ChannelConnection(adopting: ends.0), try ChannelConnection(adopting: ends.1)
        )
    }

    static func makeSocketPair() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    static func slots(_ messages: [ChannelMessage]) -> [Int] {
        messages.compactMap { if case .slots(let count) = $0.header { count } else { nil } }
    }

    @Test("Messages arrive whole and in order, from many senders at once")
    func order() async throws {
        let (left, right) = try Self.makePair()
        let received = Task {
            var received: [ChannelMessage] = []
            for try await message in right.messages { received.append(message) }
            return received
        }
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask {
                    for index in 0..<500 {
                        let payload = [UInt8](repeating: UInt8(sender), count: index * 3)
                        try? await left.sendInTurn(
                            ChannelMessage(.slots(sender * 1_000 + index), payload: payload))
                    }
                }
            }
        }
        left.close()
        let all = try await received.value
        #expect(all.count == 2_000)
        for sender in 0..<4 {
            let own = Self.slots(all).filter { $0 / 1_000 == sender }
            #expect(own == Array(sender * 1_000..<sender * 1_000 + 500))
        }
        for message in all {
            let sender = Self.slots([message])[0] / 1_000
            #expect(message.payload.allSatisfy { $0 == UInt8(sender) })
        }
        right.close()
    }

    @Test("A peer that does not read fills a bounded queue, and sending then fails")
    func congestion() async throws {
        let (left, right) = try Self.makePair()
        let message = ChannelMessage(.slots(1), payload: [UInt8](repeating: 7, count: 1 << 20))
        var sent = 0
        #expect(throws: ChannelError.self) {
            for _ in 0..<200 {
                try left.send(message)
                sent += 1
            }
        }
        #expect(sent >= Outbox.bytesMax >> 20 - 2)
        #expect(sent <= (Outbox.bytesMax + Mailbox.bytesMax) >> 20 + 2)
        // Reading makes room again and nothing that was accepted is lost.
        var received = 0
        for try await _ in right.messages {
            received += 1
            if received == sent { break }
        }
        await left.flush()
        try left.send(message)
        left.close()
        right.close()
    }

    @Test("EOF ends the messages after the last one; sending then fails with closed")
    func endOfFile() async throws {
        let (left, right) = try Self.makePair()
        try left.send(ChannelMessage(.slots(1)))
        try left.send(ChannelMessage(.slots(2)))
        left.close()
        var received: [ChannelMessage] = []
        for try await message in right.messages { received.append(message) }
        #expect(Self.slots(received) == [1, 2])
        #expect(throws: ChannelError.closed) { try left.send(ChannelMessage(.result)) }
        #expect(throws: ChannelError.closed) {
            for _ in 0..<100 {
                try right.send(ChannelMessage(.result))
                usleep(10_000)
            }
        }
        right.close()
    }

    @Test("A peer that breaks the format ends the messages with a typed error")
    func hostilePeer() async throws {
        let ends = try Self.makeSocketPair()
        let connection = try ChannelConnection(adopting: ends.0)
        let bytes: [UInt8] = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        #expect(write(ends.1, bytes, bytes.count) == bytes.count)
        await #expect(throws: ChannelError.self) {
            for try await _ in connection.messages {}
        }
        Glibc.close(ends.1)
        connection.close()
    }

    @Test("A stream cut inside a frame is an error, not an end")
    func cutFrame() async throws {
        let ends = try Self.makeSocketPair()
        let connection = try ChannelConnection(adopting: ends.0)
        let bytes = try Frame.encode(ChannelMessage(.slots(3))).dropLast()
        #expect(write(ends.1, Array(bytes), bytes.count) == bytes.count)
        Glibc.close(ends.1)
        await #expect(throws: ChannelError.self) {
            for try await _ in connection.messages {}
        }
        connection.close()
    }

    @Test("A cancelled reader stops waiting and leaves the next message to another")
    func cancellation() async throws {
        let (left, right) = try Self.makePair()
        let waiting = Task { try await right.messages.first { _ in true } }
        try await Task.sleep(for: .milliseconds(20))
        waiting.cancel()
        #expect(try await waiting.value == nil)
        try left.send(ChannelMessage(.slots(5)))
        let next = try await right.messages.first { _ in true }
        #expect(next == ChannelMessage(.slots(5)))
        left.close()
        right.close()
    }

    @Test("A closed connection gives its descriptor back")
    func descriptors() async throws {
        let (left, right) = try Self.makePair()
        left.close()
        for try await _ in right.messages {}
        right.close()
        // The far end sees EOF only when the near one is really closed.
        let ends = try Self.makeSocketPair()
        let connection = try ChannelConnection(adopting: ends.0)
        connection.close()
        var byte: UInt8 = 0
        #expect(read(ends.1, &byte, 1) == 0)
        Glibc.close(ends.1)
    }
}

extension ChannelConnectionTests {
    @Test("The peer's end is noticed while nobody reads, even with a full mailbox")
    func peerGone() async throws {
        for count in [0, Mailbox.messagesMax * 2] {
            let (left, right) = try Self.makePair()
            for index in 0..<count { try left.send(ChannelMessage(.slots(index))) }
            await left.flush()
            await withCheckedContinuation { continuation in
                right.whenPeerGone { continuation.resume() }
                left.close()
            }
            var received = 0
            for try await _ in right.messages { received += 1 }
            #expect(received == count)
            right.close()
        }
    }

    @Test("Closing our own end is no loss of the peer")
    func ownClose() async throws {
        let (left, right) = try Self.makePair()
        left.whenPeerGone { Issue.record("our own close was taken for the peer's") }
        left.close()
        for try await _ in right.messages {}
        right.close()
    }
}
