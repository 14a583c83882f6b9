import Foundation
import Jobs
import Testing

@testable import Cluster

@Suite struct LogAllowanceTests {
    private let start = ContinuousClock.now

    private func allowance() -> LogAllowance {
        LogAllowance(
            burst: .init(lines: 100, bytes: 1_000), perSecond: .init(lines: 10, bytes: 200))
    }

    /// Whether lines of so many bytes are taken, each so many milliseconds after the start.
    private func taken(_ lines: [(bytes: Int, after: Int)]) -> [Bool] {
        var allowance = allowance()
        return lines.map {
            allowance.takes(bytes: $0.bytes, at: start + .milliseconds($0.after))
        }
    }

    @Test("A burst is taken whole, then nothing until half a second's worth is there again")
    func burst() {
        let burst = Array(repeating: (bytes: 1, after: 0), count: 101)
        let later = Array(repeating: (bytes: 1, after: 500), count: 6)
        let all = taken(burst + [(1, 400)] + later)
        let expected =
            Array(repeating: true, count: 100) + [false, false]
            + Array(repeating: true, count: 5) + [false]
        #expect(all == expected)
    }

    @Test("Bytes count as lines do, and no pause gives more than a burst")
    func bytes() {
        let all = taken([
            (900, 0), (101, 0), (101, 1_000), (1_000, 3_600_000), (1, 3_600_000),
        ])
        #expect(all == [true, false, true, true, false])
    }

    @Test("A flood is cut, counted and marked, and what follows it is taken")
    func flood() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "flood")
        let log = JobLog(job: hand.id, store: store, allowance: allowance())
        for number in 0..<1_000 {
            log.append(.out, prefix: "", text: "\(number)", endsWithLineFeed: true)
        }
        await log.flush(within: .seconds(20))
        let lines = store.storedLines
        let taken = lines.filter { Int($0) != nil }
        #expect(Array(taken.prefix(100)) == (0..<100).map(String.init))
        let dropped = lines.compactMap { line in
            line.hasSuffix(" lines dropped: the job printed more than a log takes")
                ? Int(line.prefix { $0.isNumber }) : nil
        }
        #expect(dropped.reduce(taken.count, +) == 1_000)
        try await Task.sleep(for: .seconds(1))
        log.append(.out, prefix: "", text: "after", endsWithLineFeed: true)
        await log.flush(within: .seconds(20))
        #expect(store.storedLines.last == "after")
    }

    @Test("Time spent waiting for the store gives nothing; a flood is over when its burst is back")
    func waiting() {
        var allowance = allowance()
        func take(after seconds: Int, hasRoom: Bool = true) -> Bool {
            allowance.takes(bytes: 1, at: start + .seconds(seconds), hasRoom: hasRoom)
        }
        for _ in 0..<100 {
            let isTaken = take(after: 0)
            #expect(isTaken && !allowance.isFlooded)
        }
        allowance.waited(until: start + .seconds(50))
        let gained = take(after: 50)
        #expect(!gained && allowance.isFlooded)
        // Half a second's worth is there, but no room for it.
        let withoutRoom = take(after: 51, hasRoom: false)
        let withRoom = take(after: 51)
        #expect(!withoutRoom && withRoom && allowance.isFlooded)
        let later = take(after: 70)
        #expect(later && !allowance.isFlooded)
    }

    @Test("A flood into a slow store is held up by its burst only, and every line is accounted for")
    func slowStore() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "slow")
        // 500 lines each 50 ms at the most: 30 s for all of them.
        store.slow(.appendLogs, by: .milliseconds(50))
        let allowance = LogAllowance(
            burst: .init(lines: 30_000, bytes: 64_000_000),
            perSecond: .init(lines: 20_000, bytes: 16_000_000))
        let log = JobLog(job: hand.id, store: store, allowance: allowance)
        let count = 300_000
        let storedAtEnd = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                for number in 0..<count {
                    log.append(.out, prefix: "", text: "\(number)", endsWithLineFeed: true)
                }
                continuation.resume(returning: store.storedLines.count)
            }
        }
        // Had it waited for the store, all but what fits into the queue would be stored by now.
        #expect(storedAtEnd < count / 2)
        await log.flush(within: .seconds(60))
        let lines = store.storedLines
        let taken = lines.compactMap { Int($0) }
        #expect(Array(taken.prefix(30_000)) == Array(0..<30_000))
        #expect(taken == taken.sorted())
        let dropped = lines.compactMap { line in
            line.hasSuffix(" lines dropped: the job printed more than a log takes")
                ? Int(line.prefix { $0.isNumber }) : nil
        }
        #expect(dropped.reduce(taken.count, +) == count)
    }

    @Test("Flush has the mark stored of lines that a flood dropped after all others were stored")
    func flushAfterFlood() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "flood")
        // It takes ten lines, and then none for as long as a test may last.
        let log = JobLog(
            job: hand.id, store: store,
            allowance: LogAllowance(
                burst: .init(lines: 10, bytes: 1_000), perSecond: .init(lines: 1e-6, bytes: 1_000)))
        for number in 0..<10 {
            log.append(.out, prefix: "", text: "\(number)", endsWithLineFeed: true)
        }
        await log.flush(within: .seconds(60))
        #expect(store.storedLines == (0..<10).map(String.init))
        for _ in 0..<7 { log.append(.out, prefix: "", text: "lost", endsWithLineFeed: true) }
        await log.flush(within: .seconds(60))
        let mark = "7 lines dropped: the job printed more than a log takes"
        #expect(store.storedLines == (0..<10).map(String.init) + [mark])
        // Nothing is owed any more.
        let calls = store.count(of: .appendLogs)
        await log.flush(within: .seconds(60))
        #expect(store.count(of: .appendLogs) == calls)
    }
}
