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
}
