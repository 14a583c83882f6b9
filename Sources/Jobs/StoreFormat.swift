import Redis

/// The form in which a cluster's state is kept, which every process compares when it starts.
enum StoreFormat {
    /// Raised when what is kept changes so that an older program would misread it.
    static let current = 2
    /// What this program understands. Form 2 keeps tasks as texts, which programs of form 1 cannot
    /// read; from it on it should hold the one before as well, so that a cluster can be updated one
    /// process after the other.
    static let readable = current...current

    /// Writes the form down in an empty store; compares it in any other.
    ///
    /// - Parameter program: this program's version.
    /// - Throws: `StoreConfigurationError` naming both versions and what to do, or `JobStoreError`.
    static func agree(
        _ client: RedisClient, _ keys: RedisKeys, program: String
    ) async throws {
        let key = keys.name(.format)
        var kept: String?
        do throws(RedisError) {
            kept = try await client.send(RedisCommand("GET", key)).string
            if kept == nil {
                _ = try await client.send(RedisCommand("SETNX", key, "\(current) \(program)"))
                kept = try await client.send(RedisCommand("GET", key)).string
            }
        } catch {
            throw JobStoreError(error, "opening")
        }
        try check(kept ?? "", program: program, place: "\(client.endpoint)")
    }

    /// - Parameter kept: "1 0.2.0", the form's number and the version that wrote it.
    static func check(
        _ kept: String, program: String, place: String
    ) throws(StoreConfigurationError) {
        let words = kept.split(separator: " ", maxSplits: 1).map(String.init)
        guard let number = words.first.flatMap(Int.init), number > 0 else {
            throw StoreConfigurationError(
                "Redis at \(place) holds something else under our keys; name a namespace of its "
                    + "own (MANTA_NAMESPACE)")
        }
        if readable.contains(number) { return }
        let writer = words.count > 1 ? words[1] : "another version"
        throw StoreConfigurationError(
            "Redis at \(place) holds the state of manta \(writer), in form \(number); this is "
                + "manta \(program), which reads forms \(readable.lowerBound) to "
                + "\(readable.upperBound). Start manta \(writer) here, or give this one a "
                + "namespace of its own (MANTA_NAMESPACE)")
    }
}
