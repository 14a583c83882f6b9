import Testing

@testable import Commands

@Suite struct LatencyHistogramTests {
    @Test("A percentile is that of the sorted values, to a thousandth")
    func percentiles() throws {
        for seed in 0..<40 {
            var chance = SeededChance(UInt64(seed))
            var histogram = LatencyHistogram()
            var values = (0..<Int.random(in: 1...3_000, using: &chance)).map { _ in
                // From nanoseconds to minutes, all sizes alike.
                UInt64.random(
                    in: 1...(1 << UInt64.random(in: 0...36, using: &chance)), using: &chance)
            }
            for value in values { histogram.record(value) }
            values.sort()
            #expect(histogram.count == UInt64(values.count))
            #expect(histogram.shortest == values.first && histogram.greatest == values.last)
            for percent in [0, 1, 25, 50, 90, 99, 99.9, 100] {
                let rank = max(1, Int((percent / 100 * Double(values.count)).rounded(.up)))
                let exact = Double(values[rank - 1])
                let found = Double(try #require(histogram.value(atPercent: percent)))
                #expect(found >= exact && found <= exact * 1.001 + 1, "\(percent) of seed \(seed)")
            }
            let mean = values.map { Double($0) }.reduce(0, +) / Double(values.count)
            #expect(abs((histogram.mean ?? 0) - mean) <= mean * 1e-9)
        }
    }

    @Test("Parts follow each other without a gap and hold what was counted in them")
    func parts() {
        var histogram = LatencyHistogram()
        for value in UInt64(0)..<10_000 { histogram.record(value) }
        var next: UInt64 = 0
        for part in histogram.parts {
            #expect(part.range.lowerBound == next)
            next = part.range.upperBound + 1
        }
        #expect(next >= 10_000)
        #expect(histogram.parts.reduce(0) { $0 + $1.count } == 10_000)
    }

    @Test("Two histograms together are the histogram of both")
    func sum() {
        var chance = SeededChance(3)
        var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for index in 0..<2_000 {
            let value = UInt64.random(in: 0...5_000_000_000, using: &chance)
            if index % 3 == 0 { one.record(value) } else { other.record(value) }
            both.record(value)
        }
        one.add(other)
        #expect(one.parts.map(\.count) == both.parts.map(\.count))
        #expect(one.count == both.count && one.greatest == both.greatest)
        #expect(one.value(atPercent: 99) == both.value(atPercent: 99))
    }

    @Test("What is longer than an hour counts as one, and nothing is nothing")
    func edges() {
        var histogram = LatencyHistogram()
        #expect(histogram.value(atPercent: 50) == nil && histogram.mean == nil)
        #expect(histogram.parts.isEmpty)
        histogram.record(.max)
        #expect(histogram.greatest == LatencyHistogram.longest)
        #expect(histogram.value(atPercent: 100) == LatencyHistogram.longest)
    }

    @Test("Even arrivals come at their rate, random ones at the same on average and not before")
    func schedule() {
        var even = ArrivalSchedule(ratePerSecond: 4, duration: .seconds(1), spacing: .even)
        #expect(
            (0..<5).map { _ in even.next() } == [
                .zero, .milliseconds(250), .milliseconds(500), .milliseconds(750), nil,
            ])
        var chance = ArrivalSchedule(
            ratePerSecond: 1_000, duration: .seconds(20), spacing: .poisson)
        var times: [Duration] = []
        while let time = chance.next() { times.append(time) }
        #expect((19_300...20_700).contains(times.count))
        #expect(times == times.sorted())
        // Of exponential spaces, 1 − 1/e are shorter than the mean.
        let short = zip(times, times.dropFirst()).count { $1 - $0 < .milliseconds(1) }
        #expect(abs(Double(short) / Double(times.count) - 0.632) < 0.02)
    }

    @Test("Bars hold every reply once")
    func bars() {
        var histogram = LatencyHistogram()
        for value in [UInt64(900), 1_000, 1_001, 40_000, 40_000] { histogram.record(value) }
        let bars = LoadReport.bars(of: histogram)
        #expect(bars.map(\.count) == [2, 1, 0, 0, 0, 2])
        #expect(bars.first?.upTo == 0.001 && bars.last?.upTo == 0.05)
        #expect(LoadReport.bars(of: LatencyHistogram()).isEmpty)
    }
}
