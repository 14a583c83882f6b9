/// Endings of attempts that a store did not take, since it was first used.
package struct StoreCounters: Sendable, Codable, Hashable {
    /// The same ending told again, because the answer to the first was lost.
    package var duplicateCommits = 0
    /// Endings under a lease that was not the task's current one any more.
    package var refusedCommits = 0

    package init() {}

    /// Counts one reply to an ending.
    mutating func count(_ reply: EndingReply) {
        switch reply {
        case .committed: break
        case .duplicate: duplicateCommits += 1
        case .leaseLost: refusedCommits += 1
        }
    }
}
