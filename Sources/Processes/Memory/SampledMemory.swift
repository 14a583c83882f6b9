import Glibc
import Synchronization

/// A memory group that is looked at ten times a second, for who may not make control groups.
///
/// Between two looks a program can take more than its limit: what one can touch in a tenth of a
/// second. Against a single vast allocation each member also has a soft limit on its private memory
/// (RLIMIT_DATA), of twice the group's limit and a quarter of a gibibyte, because stacks of threads
/// count there as if they were full.
final class SampledMemory: MemoryGroup {
    private struct State {
        var guardian: ChildProcess?
        var use = MemoryUse(peakInBytes: 0, limitInBytes: nil, wasExceeded: false)
        /// Members that have their soft limit for this piece of work.
        var fenced: Set<Int32> = []
        var isClosed = false
    }
    private let state = Mutex(State())
    private let sampler: MemorySampler

    init(_ sampler: MemorySampler) { self.sampler = sampler }

    var entrance: Int32 { -1 }

    func watch(_ guardian: ChildProcess) {
        state.withLock { $0.guardian = guardian }
        sampler.add(self)
    }

    func begin(limitInBytes: Int64?) {
        state.withLock { state in
            state.use = MemoryUse(
                peakInBytes: 0, limitInBytes: limitInBytes, wasExceeded: false)
            state.fenced = []
        }
        sample()
        sampler.add(self)
    }

    func use() -> MemoryUse {
        sample()
        return state.withLock { $0.use }
    }

    func close() { state.withLock { $0.isClosed = true } }

    /// Looks once; ends the program when it has taken too much. Answers whether there is more to
    /// look at.
    @discardableResult
    func sample() -> Bool {
        let (guardian, limit) = state.withLock { state in
            (state.isClosed ? nil : state.guardian, state.use.limitInBytes)
        }
        guard let guardian, guardian.isRunning else { return false }
        let members = ProcessTree.descendants(of: guardian.pid)
        let taken = members.reduce(0) { $0 + ProcessTree.memoryInBytes(of: $1) }
        let isOver = state.withLock { state in
            // A new piece of work may have begun meanwhile.
            guard state.use.limitInBytes == limit else { return false }
            state.use.peakInBytes = max(state.use.peakInBytes, taken)
            guard let limit, taken > limit else { return false }
            state.use.wasExceeded = true
            return true
        }
        if isOver {
            guardian.signal(SIGUSR1)
        } else if let limit {
            fence(members, limit)
        }
        return limit != nil
    }

    private func fence(_ members: [Int32], _ limit: Int64) {
        let fresh = state.withLock { state in
            defer { state.fenced.formUnion(members) }
            return members.filter { !state.fenced.contains($0) }
        }
        let (twice, isTooMuch) = UInt64(max(0, limit)).multipliedReportingOverflow(by: 2)
        guard !isTooMuch else { return }
        for pid in fresh {
            ProcessTree.setDataLimit(
                ofProcess: pid, toBytes: twice.addingReportingOverflow(256 << 20).partialValue)
        }
    }
}

/// The one thread that looks at all sampled groups with a limit; it ends when there are none.
final class MemorySampler: Sendable {
    private struct State {
        var groups: [ObjectIdentifier: SampledMemory] = [:]
        var isRunning = false
    }
    private let state = Mutex(State())

    static let intervalInMicroseconds: UInt32 = 100_000

    func add(_ group: SampledMemory) {
        let starts = state.withLock { state in
            state.groups[ObjectIdentifier(group)] = group
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { startThread(named: "memory") { [self] in loop() } }
    }

    private func loop() {
        while true {
            let groups = state.withLock { Array($0.groups.values) }
            let done = groups.filter { !$0.sample() }
            let ends = state.withLock { state in
                for group in done { state.groups[ObjectIdentifier(group)] = nil }
                if state.groups.isEmpty { state.isRunning = false }
                return state.groups.isEmpty
            }
            if ends { return }
            usleep(MemorySampler.intervalInMicroseconds)
        }
    }
}
