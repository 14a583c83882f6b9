import Foundation

/// The Sentinels of one Redis deployment: they are asked who its primary is each time a connection
/// is made, so that connections follow a fail-over.
package struct RedisSentinels: Sendable, Hashable {
    package struct Place: Sendable, Hashable, CustomStringConvertible {
        package let host: String
        package let port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String {
            "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
    }

    /// Asked in this order until one answers; 1 to `placesMax`.
    package var places: [Place]
    /// What the Sentinels call the deployment: "mymaster".
    package var primaryName: String
    /// The Sentinels' own password; the one of the endpoint is the primary's.
    package var password: String?

    package static let placesMax = 16
    package static let defaultPort = 26_379
    /// A Sentinel that has not answered by then is passed over: the next one may know.
    static let patience = Duration.seconds(1)

    package init(places: [Place], primaryName: String, password: String? = nil) {
        self.places = places
        self.primaryName = primaryName
        self.password = password
    }

    /// Where the primary is by the first Sentinel that knows.
    ///
    /// Blocks, for at most a second or two per Sentinel.
    /// - Throws: `.unavailable` with what each of them said.
    func primary() throws(RedisError) -> Place {
        var causes: [String] = []
        for place in places {
            do throws(RedisError) {
                return try primary(by: place)
            } catch {
                causes.append("\(place): \(error)")
            }
        }
        throw .unavailable(
            "no Sentinel names the primary of \(primaryName) (\(causes.joined(separator: "; ")))")
    }

    private func primary(by place: Place) throws(RedisError) -> Place {
        var options = RedisOptions()
        options.connectTimeout = RedisSentinels.patience
        options.replyTimeout = RedisSentinels.patience
        options.replyMaxInBytes = 64 << 10
        let endpoint = RedisEndpoint(
            address: .tcp(host: place.host, port: place.port), password: password)
        let connection = try RedisConnection(endpoint, options)
        try connection.send([RedisCommand("SENTINEL", "get-master-addr-by-name", primaryName)])
        let reply = try connection.receive()
        if case .error(let error) = reply { throw .server(error) }
        guard let parts = reply.array else {
            throw .unavailable("it knows no primary of that name")
        }
        guard parts.count == 2, let host = parts[0].string, !host.isEmpty,
            host.utf8.count <= 253, !host.utf8.contains(0),
            let port = parts[1].string.flatMap(Int.init), (1...65_535).contains(port)
        else { throw .unavailable("it names no address") }
        return Place(host: host, port: port)
    }

    /// Whether the server on the other end is the primary: one that a fail-over just replaced may
    /// not know yet, and a Sentinel may be behind.
    ///
    /// - Throws: `.unavailable`, so that the caller asks the Sentinels again.
    static func checkRole(_ connection: RedisConnection, _ place: Place) throws(RedisError) {
        try connection.send([RedisCommand("ROLE")])
        let reply = try connection.receive()
        if case .error(let error) = reply {
            throw error.isTransient ? .unavailable(error.message) : .server(error)
        }
        guard reply.array?.first?.string == "master" else {
            throw .unavailable("\(place) is not the primary that a Sentinel takes it for")
        }
    }
}

extension RedisSentinels {
    /// Reads `host[:port][,host[:port]…]/NAME[/db][?db=N&sentinel_password=…]`, which follows
    /// `redis+sentinel://[user[:password]@]` in a URL.
    ///
    /// - Returns: the Sentinels and the database.
    static func read(
        _ text: Substring
    ) throws(RedisURLError) -> (sentinels: RedisSentinels, database: Int) {
        let (location, query) = text.split(at: "?")
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count) else {
            throw RedisURLError(
                "a Sentinel URL names hosts and the primary: redis+sentinel://host:26379/mymaster")
        }
        let hosts = parts[0].split(separator: ",", omittingEmptySubsequences: false)
        guard (1...placesMax).contains(hosts.count) else {
            throw RedisURLError("a Sentinel URL names 1 to \(placesMax) hosts")
        }
        var places: [Place] = []
        for host in hosts {
            let (name, port) = try RedisEndpoint.hostAndPort(host, defaultPort: defaultPort)
            places.append(Place(host: name, port: port))
        }
        let name = try RedisEndpoint.decoded(parts[1])
        guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
        else { throw RedisURLError("the primary's name in a Sentinel URL is 1 to 128 characters") }
        var database = parts.count == 3 ? try RedisEndpoint.database(inPath: parts[2]) : nil
        var password: String?
        for item in (query ?? "").split(separator: "&") {
            let (key, value) = item.split(at: "=")
            switch key {
            case "db" where database == nil: database = try RedisEndpoint.database(inQuery: item)
            case "sentinel_password": password = try RedisEndpoint.decoded(value ?? "")
            default:
                throw RedisURLError(
                    "a Sentinel URL's queries are ?db=N and ?sentinel_password=WORD")
            }
        }
        return (
            RedisSentinels(places: places, primaryName: name, password: password), database ?? 0
        )
    }
}
