internal import CHiredis
import Foundation

/// One connection to a Redis server (hiredis, blocking).
///
/// Not thread-safe: it belongs to the one thread that made it, which also has to block SIGPIPE
/// (see `RedisThread`). After any thrown error but `.server` it is of no more use.
final class RedisConnection {
    private let context: UnsafeMutablePointer<redisContext>
    private let options: RedisOptions
    private let clock = ContinuousClock()

    /// Connects, authenticates and selects the database.
    init(_ endpoint: RedisEndpoint, _ options: RedisOptions) throws(RedisError) {
        self.options = options
        let timeout = timeval(options.connectTimeout)
        var primary: RedisSentinels.Place?
        if case .sentinels(let sentinels) = endpoint.address { primary = try sentinels.primary() }
        let primaryPort = Int32(primary?.port ?? 0)
        let made: UnsafeMutablePointer<redisContext>? =
            switch endpoint.address {
            case .tcp(let host, let port): redisConnectWithTimeout(host, Int32(port), timeout)
            case .unix(let path): redisConnectUnixWithTimeout(path, timeout)
            case .sentinels: redisConnectWithTimeout(primary?.host, primaryPort, timeout)
            }
        guard let made else { throw .unavailable("out of memory") }
        context = made
        guard context.pointee.err == 0 else {
            throw .unavailable("\(endpoint): \(errorText)")
        }
        guard redisSetTimeout(context, timeval(options.replyTimeout)) == REDIS_OK else {
            throw .unavailable("\(endpoint): \(errorText)")
        }
        if case .unix = endpoint.address {} else { redisEnableKeepAlive(context) }
        try introduce(to: endpoint)
        if let primary { try RedisSentinels.checkRole(self, primary) }
    }

    deinit { redisFree(context) }

    private func introduce(to endpoint: RedisEndpoint) throws(RedisError) {
        var commands: [RedisCommand] = []
        if let password = endpoint.password {
            commands.append(
                endpoint.user.map { RedisCommand("AUTH", $0, password) }
                    ?? RedisCommand("AUTH", password))
        }
        commands.append(RedisCommand("CLIENT", "SETNAME", options.clientName))
        if endpoint.database != 0 {
            commands.append(RedisCommand("SELECT", String(endpoint.database)))
        }
        try send(commands)
        for _ in commands {
            if case .error(let error) = try receive() {
                throw error.isTransient ? .unavailable(error.message) : .server(error)
            }
        }
    }

    /// Whether the server hung up, or said something nobody asked for, since the last reply.
    var isStale: Bool {
        var entry = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) != 0
    }

    /// Waits until the server says something; false after `timeout`.
    func waitForInput(_ timeout: Duration) -> Bool {
        if let reader = context.pointee.reader, reader.pointee.pos < reader.pointee.len {
            return true
        }
        var entry = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, timeout.inMilliseconds) != 0
    }

    /// Writes all commands; their replies follow in order by `receive`.
    func send(_ commands: [RedisCommand]) throws(RedisError) {
        for command in commands {
            for part in [command.header, command.body] {
                let status = part.withUnsafeBytes { bytes in
                    redisAppendFormattedCommand(
                        context, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count)
                }
                guard status == REDIS_OK else { throw .lost(errorText) }
            }
        }
        let deadline = clock.now + options.replyTimeout
        var isDone: Int32 = 0
        while isDone == 0 {
            guard redisBufferWrite(context, &isDone) == REDIS_OK else { throw .lost(errorText) }
            guard clock.now < deadline else { throw .lost("sending timed out") }
        }
    }

    /// The next reply, an error of the server included.
    func receive() throws(RedisError) -> RESPValue {
        let deadline = clock.now + options.replyTimeout
        var received = 0
        while true {
            var reply: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &reply) == REDIS_OK else {
                throw .lost(errorText)
            }
            if let reply {
                defer { freeReplyObject(reply) }
                return RESPValue(UnsafePointer(reply.assumingMemoryBound(to: redisReply.self)))
            }
            guard received <= options.replyMaxInBytes else {
                throw .replyTooLarge(maximumInBytes: options.replyMaxInBytes)
            }
            guard clock.now < deadline else { throw .lost("the reply timed out") }
            let before = context.pointee.reader.pointee.len
            guard redisBufferRead(context) == REDIS_OK else { throw .lost(errorText) }
            received += max(0, context.pointee.reader.pointee.len - before)
        }
    }

    private var errorText: String {
        let text = withUnsafeBytes(of: &context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        // A socket timeout in blocking mode comes as EAGAIN.
        return text == "Resource temporarily unavailable" ? "timed out" : text
    }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}

extension Duration {
    var inMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }
}
