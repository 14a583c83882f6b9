import Foundation

/// Where a Redis server listens and who we are to it.
package struct RedisEndpoint: Sendable, Hashable, CustomStringConvertible {
    package enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unix(path: String)
        /// Whoever these Sentinels name when a connection is made.
        case sentinels(RedisSentinels)
    }
    package var address: Address
    package var user: String?
    package var password: String?
    package var database: Int

    package init(
        address: Address, user: String? = nil, password: String? = nil, database: Int = 0
    ) {
        self.address = address
        self.user = user
        self.password = password
        self.database = database
    }

    /// Without user and password, so that it can be logged.
    package var description: String {
        switch address {
        case .tcp(let host, let port):
            "redis://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
        case .unix(let path): "unix://\(path)?db=\(database)"
        case .sentinels(let sentinels):
            "redis+sentinel://\(sentinels.places.map(\.description).joined(separator: ","))"
                + "/\(sentinels.primaryName)/\(database)"
        }
    }
}

/// Why a text does not name a Redis server. It never repeats the text, which may hold a password.
package struct RedisURLError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension RedisEndpoint {
    /// Reads `redis://[user[:password]@]host[:port][/db]`, `unix:///path?db=0`, `host[:port]`, or
    /// `redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/NAME[/db]`.
    ///
    /// User and password are percent-decoded. TLS is refused by name.
    package init(url: String) throws(RedisURLError) {
        let (scheme, rest) = RedisEndpoint.splitScheme(url)
        switch scheme {
        case "redis", nil: try self.init(authorityAndPath: rest)
        case "unix", "redis+unix": try self.init(socketPath: rest)
        case "rediss":
            throw RedisURLError(
                "TLS (rediss://) is not supported; use redis:// inside a private network or tunnel")
        case "redis+sentinel", "redis-sentinel", "sentinel":
            try self.init(sentinels: rest)
        case .some(let other):
            throw RedisURLError(
                "the scheme \(other):// is unknown; use redis://host:port or unix:///path")
        }
    }

    private static func splitScheme(_ url: String) -> (String?, Substring) {
        if let range = url.range(of: "://") {
            return (url[..<range.lowerBound].lowercased(), url[range.upperBound...])
        }
        if url.hasPrefix("unix:") { return ("unix", url.dropFirst(5)) }
        return (nil, url[...])
    }

    private init(socketPath text: Substring) throws(RedisURLError) {
        let (path, query) = text.split(at: "?")
        guard path.hasPrefix("/"), path.utf8.count < 108 else {  // sun_path of sockaddr_un
            throw RedisURLError("a unix:// URL needs an absolute path of at most 107 bytes")
        }
        self.init(
            address: .unix(path: try RedisEndpoint.decoded(path)),
            database: try RedisEndpoint.database(inQuery: query) ?? 0)
    }

    private init(sentinels text: Substring) throws(RedisURLError) {
        let (user, password, rest) = try RedisEndpoint.credentials(text)
        let (sentinels, database) = try RedisSentinels.read(rest)
        self.init(
            address: .sentinels(sentinels), user: user, password: password, database: database)
    }

    /// User and password before the "@", and what stands after it.
    private static func credentials(
        _ text: Substring
    ) throws(RedisURLError) -> (user: String?, password: String?, rest: Substring) {
        let (location, _) = text.split(at: "?")
        let (authority, _) = location.split(at: "/")
        guard let at = authority.lastIndex(of: "@") else { return (nil, nil, text) }
        let (name, secret) = authority[..<at].split(at: ":")
        var password: String?
        if let secret { password = try decoded(secret) }
        return (
            name.isEmpty ? nil : try decoded(name), password, text[text.index(after: at)...]
        )
    }

    private init(authorityAndPath text: Substring) throws(RedisURLError) {
        let (user, password, rest) = try RedisEndpoint.credentials(text)
        let (location, query) = rest.split(at: "?")
        let (authority, path) = location.split(at: "/")
        let (host, port) = try RedisEndpoint.hostAndPort(authority)
        let inPath = try RedisEndpoint.database(inPath: path)
        let inQuery = try RedisEndpoint.database(inQuery: query)
        self.init(
            address: .tcp(host: host, port: port), user: user, password: password,
            database: inPath ?? inQuery ?? 0)
    }

    static func hostAndPort(
        _ text: Substring, defaultPort: Int = 6_379
    ) throws(RedisURLError) -> (String, Int) {
        var host = text
        var portText: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw RedisURLError("the host is malformed")
            }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            (host, portText) = text.split(at: ":")
        }
        guard !host.isEmpty, host.utf8.count <= 253 else {
            throw RedisURLError("the URL names no host")
        }
        guard let portText else { return (String(host), defaultPort) }
        guard let port = Int(portText), (1...65_535).contains(port) else {
            throw RedisURLError("the port must be a number in 1...65535")
        }
        return (String(host), port)
    }

    static func database(inPath path: Substring?) throws(RedisURLError) -> Int? {
        guard let path, !path.isEmpty else { return nil }
        return try database(path)
    }

    static func database(inQuery query: Substring?) throws(RedisURLError) -> Int? {
        guard let query, !query.isEmpty else { return nil }
        guard query.hasPrefix("db=") else {
            throw RedisURLError("the only known query of a Redis URL is ?db=N")
        }
        return try database(query.dropFirst(3))
    }

    private static func database(_ text: Substring) throws(RedisURLError) -> Int {
        guard let number = Int(text), (0...65_535).contains(number) else {
            throw RedisURLError("the database must be a number, 0 or more")
        }
        return number
    }

    static func decoded(_ text: Substring) throws(RedisURLError) -> String {
        guard let decoded = String(text).removingPercentEncoding else {
            throw RedisURLError("a percent-escape in the URL is malformed")
        }
        return decoded
    }
}

extension Substring {
    /// What stands before and after the first `separator`; no second part when it does not occur.
    func split(at separator: Character) -> (Substring, Substring?) {
        guard let index = firstIndex(of: separator) else { return (self, nil) }
        return (self[..<index], self[self.index(after: index)...])
    }
}
