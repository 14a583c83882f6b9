import Redis

/// What a Redis server must be like to hold a cluster's state.
enum RedisRequirements {
    /// Functions, which every transition is, came with 7.0.
    static let minimumVersion = (7, 0)

    /// - Throws: `StoreConfigurationError` with the fix, or `JobStoreError.unavailable`.
    static func check(_ client: RedisClient) async throws {
        let facts: [String: String]
        do throws(RedisError) {
            facts = parse(try await client.send(RedisCommand("INFO")).string ?? "")
        } catch {
            if case .server(let answer) = error {
                throw StoreConfigurationError(
                    "Redis at \(client.endpoint) refuses us: \(answer.message)")
            }
            throw JobStoreError(error, "opening")
        }
        let version = (facts["redis_version"] ?? "0").split(separator: ".").map { Int($0) ?? 0 }
        guard version.count >= 2, (version[0], version[1]) >= minimumVersion else {
            throw StoreConfigurationError(
                "Redis at \(client.endpoint) is version \(facts["redis_version"] ?? "unknown"); "
                    + "Manta needs \(minimumVersion.0).\(minimumVersion.1) or newer")
        }
        guard facts["role"] != "slave" else {
            throw StoreConfigurationError(
                "Redis at \(client.endpoint) is a replica; name the primary")
        }
        let policy = facts["maxmemory_policy"] ?? "noeviction"
        guard policy == "noeviction" else {
            throw StoreConfigurationError(
                "Redis at \(client.endpoint) may drop our keys (maxmemory-policy \(policy)); run "
                    + "`redis-cli CONFIG SET maxmemory-policy noeviction` and set it in redis.conf")
        }
    }

    private static func parse(_ info: String) -> [String: String] {
        var facts: [String: String] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { facts[String(parts[0])] = String(parts[1]) }
        }
        return facts
    }
}
