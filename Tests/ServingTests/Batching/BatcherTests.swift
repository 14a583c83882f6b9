import DecisionForests
import Synchronization
import Testing

@testable import Serving

@Suite struct BatcherTests {
    @Test("A batch goes when it is full, else when its first item has waited long enough")
    func due() {
        var batcher = Batcher<Int>(rowsMax: 3, wait: .milliseconds(10), concurrentMax: 2)
        #expect(batcher.add(1, rowCount: 1, at: .zero) == nil)
        #expect(batcher.deadline == .milliseconds(10))
        #expect(batcher.add(2, rowCount: 1, at: .milliseconds(4)) == nil)
        #expect(batcher.next(at: .milliseconds(9)) == nil)
        #expect(batcher.next(at: .milliseconds(10)) == [1, 2])
        #expect(batcher.add(3, rowCount: 2, at: .milliseconds(11)) == nil)
        #expect(batcher.add(4, rowCount: 1, at: .milliseconds(12)) == [3, 4])
        #expect(batcher.runningCount == 2 && batcher.deadline == nil)
    }

    @Test("Without a wait the first goes alone, and what comes meanwhile goes together")
    func natural() {
        var batcher = Batcher<Int>(rowsMax: 8, wait: .zero, concurrentMax: 1)
        #expect(batcher.add(0, rowCount: 1, at: .zero) == [0])
        for item in 1...9 { #expect(batcher.add(item, rowCount: 1, at: .zero) == nil) }
        #expect(batcher.finish(at: .zero) == Array(1...8))
        #expect(batcher.finish(at: .zero) == [9])
        #expect(batcher.finish(at: .zero) == nil && batcher.runningCount == 0)
    }

    @Test("An item larger than a batch goes alone and in its turn")
    func large() {
        var batcher = Batcher<Int>(rowsMax: 4, wait: .seconds(1), concurrentMax: 9)
        #expect(batcher.add(1, rowCount: 2, at: .zero) == nil)
        #expect(batcher.add(2, rowCount: 9, at: .zero) == [1])
        #expect(batcher.next(at: .zero) == [2])
    }

    @Test("Under any history items go once, in order, whole, in batches within their bounds")
    func property() {
        for seed in 0..<300 {
            var chance = SeededChance(UInt64(seed))
            let rowsMax = Int.random(in: 1...9, using: &chance)
            let concurrentMax = Int.random(in: 1...3, using: &chance)
            let wait = Duration.milliseconds(Int.random(in: 0...20, using: &chance))
            var batcher = Batcher<Int>(rowsMax: rowsMax, wait: wait, concurrentMax: concurrentMax)
            var rows: [Int: Int] = [:]
            var since: [Int: Duration] = [:]
            var gone: [Int] = []
            var running = 0
            func check(_ batch: [Int]?, at now: Duration) {
                guard let batch else { return }
                running += 1
                #expect(!batch.isEmpty && running <= concurrentMax)
                let count = batch.reduce(0) { $0 + (rows[$1] ?? 0) }
                #expect(batch.count == 1 || count <= rowsMax)
                gone += batch
            }
            for step in 0..<200 {
                let now = Duration.milliseconds(step)
                switch Int.random(in: 0..<4, using: &chance) {
                case 0, 1:
                    rows[rows.count] = Int.random(in: 1...4, using: &chance)
                    since[rows.count - 1] = now
                    let item = rows.count - 1
                    check(batcher.add(item, rowCount: rows[item] ?? 0, at: now), at: now)
                case 2 where running > 0:
                    running -= 1
                    check(batcher.finish(at: now), at: now)
                default: check(batcher.next(at: now), at: now)
                }
                #expect(gone == Array(0..<gone.count), "in order, each once")
                #expect(batcher.waitingCount == rows.count - gone.count)
                // Who may go is not kept.
                if running < concurrentMax, let first = since[gone.count], now - first >= wait {
                    check(batcher.next(at: now), at: now)
                    #expect(since[gone.count] != first || gone.count > 0)
                }
            }
            while batcher.waitingCount > 0 || running > 0 {
                if running > 0 { running -= 1; check(batcher.finish(at: .seconds(9)), at: .zero) }
                check(batcher.next(at: .seconds(9)), at: .zero)
            }
            #expect(gone == Array(0..<rows.count))
        }
    }

    @Test("Sizes follow the time of a row, between one and the bound")
    func pace() {
        var pace = BatchPace(rowsMax: 500)
        #expect(pace.batchSize == 500)
        pace.measure(.milliseconds(1), rowCount: 10)
        #expect(pace.batchSize == 20)
        for _ in 0..<200 { pace.measure(.milliseconds(40), rowCount: 10) }
        #expect(pace.batchSize == 1)
        for _ in 0..<300 { pace.measure(.microseconds(1), rowCount: 10) }
        #expect(pace.batchSize == 500)
        pace.measure(.zero, rowCount: 0)
        #expect(pace.batchSize == 500)
    }
}

@Suite struct BatchQueueTests {
    private struct Bad: Error {}

    /// Answers twice the first column and the number of columns; fails for any row of 13s.
    private static let predict: @Sendable (FeatureMatrix) throws -> [Float] = { rows in
        try (0..<rows.rowCount).flatMap { row -> [Float] in
            let first = rows.values[row * rows.featureCount]
            if first == 13 { throw Bad() }
            return [first * 2, Float(rows.featureCount)]
        }
    }

    private static func rows(_ firsts: [Float]) throws -> FeatureMatrix {
        try FeatureMatrix(values: firsts.flatMap { [$0, 0, 0] }, featureCount: 3)
    }

    @Test(
        "Reply i belongs to request i from any number of tasks, and a failure fails alone",
        arguments: [(1, 0.0), (7, 0.0), (16, 0.002), (64, 0.001)])
    func belonging(_ size: Int, _ wait: Double) async throws {
        var settings = BatchSettings(maxBatchSize: size)
        settings.waitTimeoutInSeconds = wait
        settings.maxConcurrentBatches = 2
        let sizes = Mutex<[Int]>([])
        let queue = BatchQueue(settings) { count in
            sizes.withLock { $0.append(count) }
        } predict: {
            try Self.predict($0)
        }
        let failures = await withTaskGroup(of: Int.self) { group in
            for task in 0..<16 {
                group.addTask {
                    var chance = SeededChance(UInt64(task))
                    var failed = 0
                    for _ in 0..<150 {
                        let count = Int.random(in: 1...4, using: &chance)
                        let firsts = (0..<count).map { _ in
                            Float(Int.random(in: 0...2_000, using: &chance))
                        }
                        let isBad = firsts.contains(13)
                        do {
                            let scores = try await queue.scores(for: Self.rows(firsts))
                            #expect(scores == firsts.flatMap { [$0 * 2, 3] })
                            #expect(!isBad)
                        } catch {
                            #expect(isBad)
                            failed += 1
                        }
                        // One in a hundred is bad, and knows it.
                        if Int.random(in: 0..<100, using: &chance) == 0 {
                            await #expect(throws: Bad.self) {
                                _ = try await queue.scores(for: Self.rows([5, 13]))
                            }
                            failed += 1
                        }
                    }
                    return failed
                }
            }
            return await group.reduce(0, +)
        }
        #expect(failures > 0)
        #expect(sizes.withLock { $0.max() ?? 0 } <= max(size, 4))
    }

    @Test("Requests that come together are computed together")
    func together() async throws {
        var settings = BatchSettings(maxBatchSize: 10)
        settings.waitTimeoutInSeconds = 5
        let sizes = Mutex<[Int]>([])
        let queue = BatchQueue(settings) { count in
            sizes.withLock { $0.append(count) }
        } predict: {
            try Self.predict($0)
        }
        await withTaskGroup(of: Void.self) { group in
            for number in 100..<120 {
                group.addTask {
                    let scores = try? await queue.scores(for: Self.rows([Float(number)]))
                    #expect(scores == [Float(number) * 2, 3])
                }
            }
        }
        #expect(sizes.withLock { $0 } == [10, 10])
    }
}
