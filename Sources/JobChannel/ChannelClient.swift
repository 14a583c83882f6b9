import Glibc

/// A process's end of the channel after the handshake: the connection and what the worker said
/// first.
package struct ChannelClient: Sendable {
    package let connection: ChannelConnection
    package let welcome: Welcome

    /// The version of the messages this build speaks.
    package static let protocolVersion = 1
    /// Connecting and the handshake together.
    package static let connectTimeout = Duration.seconds(10)

    /// Connects to the worker at `path`, says hello and waits for the welcome.
    ///
    /// - Throws: `refused` with the worker's reason, `protocolMismatch`, `timedOut`, `closed`.
    package static func connect(
        path: String, token: String, role: ProcessRole
    ) async throws -> ChannelClient {
        let deadline = ContinuousClock.now + connectTimeout
        let connection = try await open(path: path, until: deadline)
        do {
            try connection.send(
                ChannelMessage(
                    .hello(
                        protocolVersion: protocolVersion, role: role, pid: getpid(), token: token)))
            let welcome = try await receiveWelcome(on: connection, until: deadline)
            return ChannelClient(connection: connection, welcome: welcome)
        } catch {
            connection.close()
            throw error
        }
    }

    private static func open(
        path: String, until deadline: ContinuousClock.Instant
    ) async throws -> ChannelConnection {
        let descriptor = try UnixSocket.make()
        do {
            while try !UnixSocket.connect(descriptor, to: path) {
                guard ContinuousClock.now < deadline else {
                    throw ChannelError.timedOut("the worker at \(path) accepts no connection")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            return try ChannelConnection(adopting: descriptor)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    private static func receiveWelcome(
        on connection: ChannelConnection, until deadline: ContinuousClock.Instant
    ) async throws -> Welcome {
        let first = try await connection.first(until: deadline, waitingFor: "the worker's welcome")
        switch first.header {
        case .welcome(let welcome):
            guard welcome.protocolVersion == protocolVersion else {
                throw ChannelError.protocolMismatch(
                    ours: protocolVersion, theirs: welcome.protocolVersion)
            }
            return welcome
        case .refused(_, let reason): throw ChannelError.refused(reason)
        default: throw ChannelError.malformed("the first message is no welcome")
        }
    }
}

/// What a process said of itself in its first frame.
package struct Hello: Sendable, Hashable {
    package let role: ProcessRole
    package let pid: Int32
    package let token: String
}

extension ChannelConnection {
    /// Worker's side: waits for `hello` and checks its version. The caller checks the token and
    /// then sends `welcome`, or `refused` and closes.
    ///
    /// A mismatch is answered with `refused`, naming both versions, before it is thrown.
    package func receiveHello(within timeout: Duration = .seconds(10)) async throws -> Hello {
        let message = try await first(until: .now + timeout, waitingFor: "a hello")
        guard case .hello(let version, let role, let pid, let token) = message.header else {
            throw ChannelError.malformed("the first message is no hello")
        }
        guard version == ChannelClient.protocolVersion else {
            let mismatch = ChannelError.protocolMismatch(
                ours: ChannelClient.protocolVersion, theirs: version)
            try send(ChannelMessage(.refused(request: 0, reason: mismatch.description)))
            throw mismatch
        }
        return Hello(role: role, pid: pid, token: token)
    }

    /// The next message, or `timedOut` / `closed`.
    func first(
        until deadline: ContinuousClock.Instant, waitingFor what: String
    ) async throws -> ChannelMessage {
        try await withThrowingTaskGroup(of: ChannelMessage?.self) { group in
            group.addTask {
                for try await message in self.messages { return message }
                // A cancelled reader ends like a closed channel; the timer has thrown before.
                throw ChannelError.closed
            }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                throw ChannelError.timedOut("no answer while waiting for \(what)")
            }
            defer { group.cancelAll() }
            guard let message = try await group.next() ?? nil else { throw ChannelError.closed }
            return message
        }
    }
}
