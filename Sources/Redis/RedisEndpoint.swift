import Foundation

/// Where a Redis server listens and who we are to it.
package struct RedisEndpoint: Sendable, Hashable, CustomStringConvertible {
    package enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unix(path: String)
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
        }
    }
}

/// Why a text does not name a Redis server. It never repeats the text, which may hold a password.
package struct RedisURLError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension RedisEndpoint {
    /// Reads `redis://[user[:password]@]host[:port][/db]`, `unix:///path?db=0`, or `host[:port]`.
    ///
    /// User and password are percent-decoded. TLS and Sentinel are refused by name.
    package init(url: String) throws(RedisURLError) {
        let (scheme, rest) = RedisEndpoint.splitScheme(url)
        switch scheme {
        case "redis", nil: try self.init(authorityAndPath: rest)
        case "unix", "redis+unix": try self.init(socketPath: rest)
        case "rediss":
            throw RedisURLError(
                "TLS (rediss://) is not supported; use redis:// inside a private network or tunnel")
        case "redis+sentinel", "redis-sentinel", "sentinel":
            throw RedisURLError("Sentinel is not supported; name the primary by redis://host:port")
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

    private init(authorityAndPath text: Substring) throws(RedisURLError) {
        let (location, query) = text.split(at: "?")
        let (authority, path) = location.split(at: "/")
        var user: String?
        var password: String?
        var hostAndPort = authority
        if let at = authority.lastIndex(of: "@") {
            let (name, secret) = authority[..<at].split(at: ":")
            user = name.isEmpty ? nil : try RedisEndpoint.decoded(name)
            if let secret { password = try RedisEndpoint.decoded(secret) }
            hostAndPort = authority[authority.index(after: at)...]
        }
        let (host, port) = try RedisEndpoint.hostAndPort(hostAndPort)
        let inPath = try RedisEndpoint.database(inPath: path)
        let inQuery = try RedisEndpoint.database(inQuery: query)
        self.init(
            address: .tcp(host: host, port: port), user: user, password: password,
            database: inPath ?? inQuery ?? 0)
    }

    private static func hostAndPort(_ text: Substring) throws(RedisURLError) -> (String, Int) {
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
        guard let portText else { return (String(host), 6379) }
        guard let port = Int(portText), (1...65_535).contains(port) else {
            throw RedisURLError("the port must be a number in 1...65535")
        }
        return (String(host), port)
    }

    private static func database(inPath path: Substring?) throws(RedisURLError) -> Int? {
        guard let path, !path.isEmpty else { return nil }
        return try database(path)
    }

    private static func database(inQuery query: Substring?) throws(RedisURLError) -> Int? {
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

    private static func decoded(_ text: Substring) throws(RedisURLError) -> String {
        guard let decoded = String(text).removingPercentEncoding else {
            throw RedisURLError("a percent-escape in the URL is malformed")
        }
        return decoded
    }
}

extension Substring {
    /// What stands before and after the first `separator`; no second part when it does not occur.
    fileprivate func split(at separator: Character) -> (Substring, Substring?) {
        guard let index = firstIndex(of: separator) else { return (self, nil) }
        return (self[..<index], self[self.index(after: index)...])
    }
}
