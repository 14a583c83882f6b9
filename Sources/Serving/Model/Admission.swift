import Synchronization

/// How many may be inside at once: a counter that refuses rather than lets wait.
final class Admission: Sendable {
    private let limit: Int
    private let inside = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// How many are inside.
    var count: Int { inside.load(ordering: .relaxed) }

    /// True when there was room; each true needs one `leave`.
    func enter() -> Bool {
        let count = inside.add(1, ordering: .relaxed).newValue
        if count <= limit { return true }
        inside.subtract(1, ordering: .relaxed)
        return false
    }

    func leave() {
        inside.subtract(1, ordering: .relaxed)
    }
}
