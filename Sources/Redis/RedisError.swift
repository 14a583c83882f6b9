/// What can go wrong between us and a Redis server.
package enum RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nothing was done: no connection could be made in time, or the server asked us to wait.
    case unavailable(String)
    /// The command was sent and no reply came: it may or may not have been done.
    case lost(String)
    /// The server refused the command.
    case server(RedisServerError)
    case replyTooLarge(maximumInBytes: Int)
    /// The reply does not have the shape that the command promises.
    case unexpectedReply(String)
    /// `close()` was called.
    case closed

    package var description: String {
        switch self {
        case .unavailable(let cause): "Redis cannot be reached: \(cause)"
        case .lost(let cause): "the connection to Redis was lost: \(cause)"
        case .server(let error): "Redis answered: \(error)"
        case .replyTooLarge(let maximum): "Redis answered more than \(maximum) bytes"
        case .unexpectedReply(let what): "Redis answered something unexpected: \(what)"
        case .closed: "the Redis client is closed"
        }
    }
}

/// Times and bounds of connections to Redis.
package struct RedisOptions: Sendable, Hashable {
    package var connectTimeout = Duration.seconds(2)
    /// For one batch of commands, from sending to the last reply.
    package var replyTimeout = Duration.seconds(5)
    /// How long a command waits for a connection while the server is away.
    package var patience = Duration.seconds(5)
    package var replyMaxInBytes = 64 << 20
    /// Connections of a client; each has its own thread.
    package var laneCount = 2
    /// Commands that may wait; one more is refused with `.unavailable`.
    package var pendingMax = 10_000
    /// Shown by `CLIENT LIST`.
    package var clientName = "manta"

    package init() {}
}
