/// What one guarded program and everything it started may take of memory, and what it took.
///
/// A limit stands for one piece of work: a warm program gets a new one with each. Reaching it ends
/// the program and all it started, and nobody else; `use` then says so. Two implementations:
/// `ControlGroup`, where the kernel counts each page and ends the group in the moment, and
/// `SampledMemory`, for who may not make control groups.
package protocol MemoryGroup: AnyObject, Sendable {
    /// A descriptor through which a new member writes itself into the group; -1 where members are
    /// found by their descent.
    var entrance: Int32 { get }

    /// Names the guard whose descendants are the members. Called once, after it was started.
    func watch(_ guardian: ChildProcess)

    /// Begins a piece of work: from now on the members together may take so many bytes (nil: no
    /// limit of their own), and peaks count anew. A limit below what is already taken is reached
    /// at once.
    func begin(limitInBytes: Int64?)

    /// Of the piece of work that was begun last.
    func use() -> MemoryUse

    /// Gives the group back, after its last member has ended.
    func close()
}

/// Memory that a piece of work took. Anonymous memory, and what else the kernel charges to it;
/// files that are only mapped do not count where they can be told apart.
package struct MemoryUse: Sendable, Hashable {
    /// The most that was taken at one time, in bytes.
    package var peakInBytes: Int64
    /// nil: it had no limit of its own.
    package var limitInBytes: Int64?
    /// Whether something was ended because the limit was reached.
    package var wasExceeded: Bool

    package init(peakInBytes: Int64, limitInBytes: Int64?, wasExceeded: Bool) {
        self.peakInBytes = peakInBytes
        self.limitInBytes = limitInBytes
        self.wasExceeded = wasExceeded
    }
}

/// Makes memory groups in the best way this process is allowed to.
package final class MemoryGroups: Sendable {
    /// nil: memory is sampled.
    private let hierarchy: ControlGroupHierarchy?
    private let sampler = MemorySampler()

    /// - Parameters:
    ///   - totalInBytes: what all groups together may take; nil: what the machine has. Only control
    ///     groups hold it; where memory is sampled, each group's own limit is all there is.
    ///   - mayUseControlGroups: false leaves the machine's control groups alone.
    package init(totalInBytes: Int64?, mayUseControlGroups: Bool = true) {
        hierarchy =
            mayUseControlGroups ? ControlGroupHierarchy.make(totalInBytes: totalInBytes) : nil
    }

    /// For people: "control groups (v1)", "sampling".
    package var kind: String { hierarchy?.version.rawValue ?? "sampling" }

    /// A new group without members. Falls back to sampling when the kernel refuses one more.
    package func makeGroup() -> any MemoryGroup {
        hierarchy?.makeGroup() ?? SampledMemory(sampler)
    }

    /// Gives back what was made, after the last group.
    package func close() { hierarchy?.close() }
}
