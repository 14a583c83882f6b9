import Synchronization

/// Threads that wait for loops to help with: one pool for all predictions of a process, and for
/// the models it loads.
///
/// A batch of a thousand rows is answered in a millisecond or two, and starting threads for each
/// would be a good part of that. Threads start when a loop finds none that waits, and then stay. A
/// caller works itself and waits only for pieces that a helper has begun, so that a pool whose
/// threads are all busy delays nobody. A helper looks for the next loop for some microseconds, then
/// sleeps, and costs nothing until it is woken.
package final class HelperPool: @unchecked Sendable {
    /// The pool.
    package static let shared = HelperPool()

    /// Threads that make a model ready to answer, at most: with more, memory is what they wait for.
    package static let loadThreadCount = min(4, Parallel.coreCount)

    /// Threads of the pool at most; callers that ask for more together get fewer.
    private static var threadCountMax: Int { 64 }

    private let bell = Bell()
    /// Places at loops that no helper has taken; under the bell's lock.
    private var places: [(loop: Loop, worker: Int)] = []
    /// How many there are, for those who only look.
    private let placeCount = Atomic<Int>(0)
    /// Threads that there are and those of them that work for no loop; under the bell's lock.
    private var threadCount = 0
    private var freeCount = 0

    /// Rings for callers that sleep until their last helper has left.
    private let leavingBell = Bell()
    private let sleepingCallers = Atomic<Int>(0)

    /// Runs `body` once for every index below `count`; returns when all are done.
    ///
    /// `worker` in 0 ..< threads tells which thread runs it. Indices are handed out in order, each
    /// to the next free thread; where there are fewer threads, the others do the work.
    package func forEach(
        _ count: Int, threads: Int, _ body: @Sendable (_ index: Int, _ worker: Int) -> Void
    ) {
        let threadCount = min(threads, count, Self.threadCountMax + 1)
        guard threadCount > 1 else {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let loop = Loop(count: count, body: body)
            offer(loop, helpers: threadCount - 1)
            loop.run(worker: 0)
            withdraw(loop)
            // A helper may hold the loop for a moment longer, though never again what it calls.
            loop.body = nil
        }
    }

    private func offer(_ loop: Loop, helpers: Int) {
        bell.withLock {
            for worker in 1...helpers { places.append((loop, worker)) }
            placeCount.store(places.count, ordering: .relaxed)
            while freeCount < places.count, threadCount < Self.threadCountMax,
                Errand.start(detached: true, { self.help() }) != nil
            {
                threadCount += 1
                freeCount += 1
            }
        }
        bell.ring(count: helpers)
    }

    /// Takes back the places that are still free, and waits for the helpers on others.
    private func withdraw(_ loop: Loop) {
        bell.withLock {
            places.removeAll { $0.loop === loop }
            placeCount.store(places.count, ordering: .relaxed)
        }
        let haveLeft = Bell.look { loop.helperCount.load(ordering: .acquiring) == 0 ? true : nil }
        guard haveLeft == nil else { return }
        sleepingCallers.add(1, ordering: .sequentiallyConsistent)
        leavingBell.wait { loop.helperCount.load(ordering: .sequentiallyConsistent) == 0 }
        sleepingCallers.subtract(1, ordering: .sequentiallyConsistent)
    }

    /// A helper's life, as long as the process.
    private func help() {
        while true {
            let (loop, worker) = nextPlace()
            loop.run(worker: worker)
            bell.withLock { freeCount += 1 }
            let left = loop.helperCount.subtract(1, ordering: .sequentiallyConsistent).newValue
            if left == 0, sleepingCallers.load(ordering: .sequentiallyConsistent) > 0 {
                leavingBell.ring()
            }
        }
    }

    private func nextPlace() -> (loop: Loop, worker: Int) {
        let soon = Bell.look {
            placeCount.load(ordering: .relaxed) > 0 ? bell.withLock(takePlace) : nil
        }
        return soon ?? bell.waitForValue(takePlace)
    }

    /// Under the bell's lock: who withdraws its loop afterwards knows of the helper.
    private func takePlace() -> (loop: Loop, worker: Int)? {
        guard !places.isEmpty else { return nil }
        let place = places.removeFirst()
        placeCount.store(places.count, ordering: .relaxed)
        freeCount -= 1
        place.loop.helperCount.add(1, ordering: .relaxed)
        return place
    }

    private final class Loop: @unchecked Sendable {
        let count: Int
        /// Written by the caller, when no helper is left.
        var body: (@Sendable (_ index: Int, _ worker: Int) -> Void)?
        let next = Atomic<Int>(0)
        let helperCount = Atomic<Int>(0)

        init(count: Int, body: @escaping @Sendable (Int, Int) -> Void) {
            self.count = count
            self.body = body
        }

        /// Takes indices until none is left.
        @inline(never)
        func run(worker: Int) {
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                body?(index, worker)
            }
        }
    }
}
