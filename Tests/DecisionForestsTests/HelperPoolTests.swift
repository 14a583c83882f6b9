import Foundation
import Synchronization
import Testing

@testable import DecisionForests

@Suite("Waiting threads help with loops, and nobody waits for a busy one")
struct HelperPoolTests {
    private final class Counts: Sendable {
        let ofIndices = Mutex<[Int]>([])
        let workers = Mutex<Set<Int>>([])
        let isOpen = Atomic<Bool>(false)
    }

    /// Runs a loop and says how often each index was met.
    private static func counts(_ count: Int, threads: Int) -> (indices: [Int], workers: Set<Int>) {
        let counts = Counts()
        counts.ofIndices.withLock { $0 = Array(repeating: 0, count: count) }
        HelperPool.shared.forEach(count, threads: threads) { index, worker in
            counts.ofIndices.withLock { $0[index] += 1 }
            counts.workers.withLock { _ = $0.insert(worker) }
        }
        return (counts.ofIndices.withLock { $0 }, counts.workers.withLock { $0 })
    }

    @Test("Each index once, by a worker of the right number", arguments: [1, 2, 3, 8, 200])
    func indices(threads: Int) {
        for count in [0, 1, 2, 3, 7, 64, 1_000] {
            for _ in 0..<20 {
                let found = Self.counts(count, threads: threads)
                #expect(found.indices == Array(repeating: 1, count: count))
                #expect(found.workers.allSatisfy { (0..<max(1, threads)).contains($0) })
            }
        }
    }

    @Test("Callers on many threads, and loops within loops, all end")
    func manyCallers() {
        let sums = Mutex<[Int]>([])
        Parallel.forEach(12, threads: 12) { caller, _ in
            for round in 0..<60 {
                let sum = Mutex(0)
                HelperPool.shared.forEach(5, threads: 3) { index, _ in
                    HelperPool.shared.forEach(4, threads: 4) { inner, _ in
                        sum.withLock { $0 += (index + 1) * (inner + 1) }
                    }
                }
                if sum.withLock({ $0 }) != 150 { sums.withLock { $0.append(caller + round) } }
            }
        }
        #expect(sums.withLock { $0.isEmpty })
    }

    @Test("A loop ends while all threads of the pool are held by others")
    func busyPool() {
        let counts = Counts()
        Parallel.forEach(2, threads: 2) { caller, _ in
            if caller == 0 {
                // More places than the pool has threads: whoever comes waits for the gate.
                HelperPool.shared.forEach(200, threads: 200) { _, _ in
                    while !counts.isOpen.load(ordering: .acquiring) { usleep(100) }
                }
            } else {
                let found = Self.counts(50, threads: 4)
                #expect(found.indices == Array(repeating: 1, count: 50))
                counts.isOpen.store(true, ordering: .releasing)
            }
        }
    }

    @Test("A helper takes part where the caller cannot go on alone")
    func helperTakesPart() {
        let met = Atomic<Int>(0)
        HelperPool.shared.forEach(2, threads: 2) { _, _ in
            met.add(1, ordering: .sequentiallyConsistent)
            while met.load(ordering: .sequentiallyConsistent) < 2 { usleep(100) }
        }
        #expect(met.load(ordering: .sequentiallyConsistent) == 2)
    }
}
