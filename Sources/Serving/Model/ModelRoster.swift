/// Which models a gateway keeps in memory and which have to go: a value, so that every decision is
/// made and tested without a model at hand. `ModelShelf` carries the decisions out.
///
/// A model's size is the number of bytes of the file that it was read from. The model that routes
/// without a name answer with, and pinned ones, never make room for others.
struct ModelRoster: Sendable, Equatable {
    /// One model in memory.
    struct Entry: Sendable, Equatable {
        let version: ServableVersion
        let sizeInBytes: Int
        /// Stays until somebody unloads it or takes the pin away.
        var isPinned: Bool
        /// Grows with every use of any model; the smallest is the longest ago.
        var lastUse: UInt64
    }

    /// Bytes of all models together.
    let sizeInBytesMax: Int
    /// Models in memory.
    let countMax: Int
    /// By the model's name: one version of each.
    private(set) var entries: [String: Entry] = [:]
    /// The model that `/predict` and other routes without a name answer with.
    private(set) var current: String?
    private var useCount: UInt64 = 0

    init(sizeInBytesMax: Int, countMax: Int) {
        self.sizeInBytesMax = sizeInBytesMax
        self.countMax = countMax
    }

    /// Bytes of all models together.
    var sizeInBytes: Int { entries.values.reduce(0) { $0 + $1.sizeInBytes } }

    /// The names that go so that `version` fits, the least recently used first.
    ///
    /// With `asCurrent` the model that is current now may go too. Throws `storage` where even
    /// without all that may go there is no room.
    func evictions(
        for version: ServableVersion, sizeInBytes: Int, asCurrent: Bool
    ) throws(GatewayError) -> [String] {
        var others = entries
        others[version.name] = nil
        var room = others.values.reduce(sizeInBytesMax) { $0 - $1.sizeInBytes }
        let isKept = { (name: String) in !asCurrent && name == current }
        let leaving = others.filter { !$0.value.isPinned && !isKept($0.key) }
            .sorted { $0.value.lastUse < $1.value.lastUse }
        var names: [String] = []
        for (name, entry) in leaving where sizeInBytes > room || exceedsCount(others) {
            others[name] = nil
            room += entry.sizeInBytes
            names.append(name)
        }
        guard sizeInBytes <= room, !exceedsCount(others) else {
            throw noRoom(for: version, sizeInBytes, beside: others)
        }
        return names
    }

    private func exceedsCount(_ others: [String: Entry]) -> Bool { others.count + 1 > countMax }

    private func noRoom(
        for version: ServableVersion, _ sizeInBytes: Int, beside others: [String: Entry]
    ) -> GatewayError {
        let kept = others.keys.sorted()
        let beside =
            kept.isEmpty ? "" : " beside \(GatewayError.list(kept)), which are pinned or in use"
        return .storage(
            "version \(version.version) of model '\(version.name)' has \(sizeInBytes) bytes; "
                + "there is no room for it within \(sizeInBytesMax) bytes and \(countMax) "
                + "models\(beside); unload or unpin one, or give more with --model-memory")
    }

    /// Notes a model that is in memory now, in place of its version before; a pin stays.
    ///
    /// The first model is current whatever `asCurrent` says.
    mutating func add(_ version: ServableVersion, sizeInBytes: Int, asCurrent: Bool) {
        useCount += 1
        entries[version.name] = Entry(
            version: version, sizeInBytes: sizeInBytes,
            isPinned: entries[version.name]?.isPinned ?? false, lastUse: useCount)
        if asCurrent || entries.count == 1 { current = version.name }
    }

    /// Forgets a model. Without the current one there is none until the next load.
    mutating func remove(_ name: String) {
        entries[name] = nil
        if current == name { current = nil }
    }

    /// Notes that a model answers a request.
    mutating func use(_ name: String) {
        useCount += 1
        entries[name]?.lastUse = useCount
    }

    /// Pins or unpins a model; false where there is none of this name.
    mutating func pin(_ name: String, _ isPinned: Bool) -> Bool {
        guard entries[name] != nil else { return false }
        entries[name]?.isPinned = isPinned
        return true
    }
}
