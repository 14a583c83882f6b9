import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Threads that stay for a whole fit: a boosting round has a hundred short loops, too short to
/// start threads for each.
///
/// The caller works too, and takes every piece that no other thread has begun, so that helpers
/// which get no processor cost nothing. Who waits looks for news for some microseconds, then
/// sleeps: a busy machine loses no time to waiting.
final class ThreadTeam: @unchecked Sendable {
    /// The caller included.
    let size: Int

    /// The loop at hand: its number (22 bits), how many pieces it has and the next one's index (21
    /// bits each). A piece is taken by raising the index while all the rest is still the same, so
    /// who comes late takes nothing from a later loop unknowingly.
    private let ticket = Atomic<UInt64>(0)
    private let doneCount = Atomic<Int>(0)
    private let sleeperCount = Atomic<Int>(0)
    private let callerSleeps = Atomic<Bool>(false)
    private let isEnding = Atomic<Bool>(false)
    /// Written by the caller between two loops, read by who has taken a piece.
    private var body: ((_ index: Int, _ worker: Int) -> Void)?
    private let bell: Bell
    private var threads: [pthread_t] = []

    init(size: Int) {
        self.size = max(1, size)
        bell = Bell()
        for worker in 1..<max(2, size) where worker < size {
            guard let thread = Errand.start({ self.help(worker: worker) }) else { break }
            threads.append(thread)
        }
    }

    /// Ends the helpers. Must be called before the team goes, from outside any loop.
    func end() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        bell.ring()
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    /// Runs `body` once for every index below `count`; returns when all are done.
    ///
    /// `worker` in 0 ..< size tells which thread runs it: what `body` keeps per worker needs no
    /// lock.
    func forEach(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        guard !threads.isEmpty, count > 1, count <= Ticket.countMax else {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            self.body = body
            doneCount.store(0, ordering: .relaxed)
            let last = Ticket(bits: ticket.load(ordering: .relaxed))
            let next = Ticket(loop: last.loop &+ 1, count: count)
            ticket.store(next.bits, ordering: .sequentiallyConsistent)
            if sleeperCount.load(ordering: .sequentiallyConsistent) > 0 { bell.ring() }
            work(worker: 0)
            waitForHelpers(count)
            self.body = nil
        }
    }

    /// Takes pieces of the loop at hand until none is left, then says how many it has done.
    private func work(worker: Int) {
        var mine = 0
        while true {
            let seen = Ticket(bits: ticket.load(ordering: .acquiring))
            guard seen.index < seen.count else {
                report(mine, of: seen.count, worker: worker)
                return
            }
            let (won, _) = ticket.compareExchange(
                expected: seen.bits, desired: seen.bits + 1, ordering: .acquiringAndReleasing)
            guard won else { continue }
            // The loop cannot end before this piece is reported, so `body` stands still.
            body?(seen.index, worker)
            mine += 1
        }
    }

    /// Adds to the pieces that are done; wakes the caller with the last ones.
    private func report(_ pieces: Int, of count: Int, worker: Int) {
        guard pieces > 0 else { return }
        let done = doneCount.add(pieces, ordering: .sequentiallyConsistent).newValue
        if done == count, worker != 0, callerSleeps.load(ordering: .sequentiallyConsistent) {
            bell.ring()
        }
    }

    private func waitForHelpers(_ count: Int) {
        let isDone = Bell.look { doneCount.load(ordering: .acquiring) == count ? true : nil }
        guard isDone == nil else { return }
        callerSleeps.store(true, ordering: .sequentiallyConsistent)
        bell.wait { self.doneCount.load(ordering: .sequentiallyConsistent) == count }
        callerSleeps.store(false, ordering: .relaxed)
    }

    private var hasWork: Bool {
        let seen = Ticket(bits: ticket.load(ordering: .sequentiallyConsistent))
        return seen.index < seen.count
    }

    /// A helper's life.
    private func help(worker: Int) {
        while !isEnding.load(ordering: .relaxed) {
            work(worker: worker)
            guard Bell.look(for: { hasWork ? true : nil }) == nil else { continue }
            sleeperCount.add(1, ordering: .sequentiallyConsistent)
            bell.wait {
                self.hasWork || self.isEnding.load(ordering: .sequentiallyConsistent)
            }
            sleeperCount.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    private struct Ticket {
        let bits: UInt64

        static var countMax: Int { (1 << 21) - 1 }

        init(bits: UInt64) {
            self.bits = bits
        }

        init(loop: Int, count: Int) {
            bits = UInt64(loop & 0x3F_FFFF) << 42 | UInt64(count) << 21
        }

        var loop: Int { Int(bits >> 42) }
        var count: Int { Int(bits >> 21 & 0x1F_FFFF) }
        var index: Int { Int(bits & 0x1F_FFFF) }
    }
}
