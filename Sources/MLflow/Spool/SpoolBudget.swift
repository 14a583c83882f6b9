internal import Synchronization

/// The bytes that all spools of one process hold together, and may hold.
package final class SpoolBudget: Sendable {
    package let limit: Int64
    private let used = Mutex<Int64>(0)

    /// When nobody says otherwise.
    package static let defaultLimit: Int64 = 1 << 30
    /// Beyond the limit for what is never dropped: parameters, tags, how runs end.
    static let reserve: Int64 = 8 << 20

    package init(limit: Int64 = SpoolBudget.defaultLimit) {
        self.limit = max(0, limit)
    }

    func hasRoom(for count: Int64, isEssential: Bool = false) -> Bool {
        let limit = limit + (isEssential ? SpoolBudget.reserve : 0)
        return used.withLock { $0 + count <= limit }
    }

    func change(by count: Int64) { used.withLock { $0 += count } }
}
