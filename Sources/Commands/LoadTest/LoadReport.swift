import Foundation

/// A load test's figures for people and machines. Times are milliseconds.
struct LoadReport: Encodable {
    /// Points of a distribution.
    struct Times: Encodable {
        let min: Double
        let mean: Double
        let p50: Double
        let p90: Double
        let p99: Double
        let p999: Double
        let max: Double

        private enum CodingKeys: String, CodingKey {
            case min, mean, p50, p90, p99, max
            case p999 = "p99.9"
        }

        /// Nil where nothing was counted.
        init?(_ histogram: LatencyHistogram) {
            guard let least = histogram.shortest, let average = histogram.mean else { return nil }
            func point(_ percent: Double) -> Double {
                Double(histogram.value(atPercent: percent) ?? 0) / 1e6
            }
            min = Double(least) / 1e6
            mean = average / 1e6
            (p50, p90, p99, p999) = (point(50), point(90), point(99), point(99.9))
            max = Double(histogram.greatest) / 1e6
        }
    }

    /// Replies of one part of the distribution.
    struct Bar: Encodable {
        /// Milliseconds, this one included.
        let upTo: Double
        let count: Int

        private enum CodingKeys: String, CodingKey {
            case upTo = "up_to_ms"
            case count
        }
    }

    let url: String
    let rateAsked: Double
    /// Replies per second.
    let rateReached: Double
    let seconds: Double
    let connections: Int
    let statuses: [String: Int]
    let failures: [String: Int]
    /// From when each request was due.
    let latency: Times?
    /// From when it was sent: without the wait for a free connection.
    let serviceTime: Times?
    let histogram: [Bar]

    private enum CodingKeys: String, CodingKey {
        case url, seconds, connections, statuses, failures, histogram
        case rateAsked = "rate_asked"
        case rateReached = "rate_reached"
        case latency = "latency_ms"
        case serviceTime = "service_time_ms"
    }

    init(_ test: LoadTest, _ outcome: LoadTest.Outcome, url: String) {
        self.url = url
        rateAsked = test.schedule.ratePerSecond
        seconds = (outcome.duration - test.warmUp) / .seconds(1)
        rateReached = seconds > 0 ? Double(outcome.answeredCount) / seconds : 0
        connections = test.connectionCount
        statuses = Dictionary(
            uniqueKeysWithValues: outcome.statuses.map { (String($0.key), $0.value) })
        failures = outcome.failures
        latency = Times(outcome.latency)
        serviceTime = Times(outcome.serviceTime)
        histogram = Self.bars(of: outcome.latency)
    }

    /// Three bars to each tenfold: 1, 2, 5, 10, …, from the first that has any to the last.
    static func bars(of histogram: LatencyHistogram) -> [Bar] {
        var bounds: [UInt64] = []
        var decade: UInt64 = 1_000  // a microsecond
        while decade <= LatencyHistogram.longest {
            bounds += [decade, 2 * decade, 5 * decade]
            decade *= 10
        }
        var counts = bounds.map { _ in 0 }
        for part in histogram.parts {
            let index = bounds.firstIndex { part.range.upperBound <= $0 } ?? bounds.count - 1
            counts[index] += Int(part.count)
        }
        guard let first = counts.firstIndex(where: { $0 > 0 }),
            let last = counts.lastIndex(where: { $0 > 0 })
        else { return [] }
        return (first...last).map { Bar(upTo: Double(bounds[$0]) / 1e6, count: counts[$0]) }
    }

    /// What a terminal shows.
    var text: String {
        let answers = statuses.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        let losses = failures.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        var text = """
            \(Self.number(rateAsked)) requests/s asked for, \(Self.number(rateReached)) replies/s \
            over \(String(format: "%.1f", seconds)) s on \(connections) connections
            replies: \(answers.isEmpty ? "none" : answers.joined(separator: ", "))
            without a reply: \(losses.isEmpty ? "none" : losses.joined(separator: ", "))


            """
        guard let latency, let serviceTime else { return text }
        text += TextTable.render(
            ["", "min", "mean", "p50", "p90", "p99", "p99.9", "max"],
            [Self.row("from when due", latency), Self.row("from when sent", serviceTime)])
        return text + "\n" + chart
    }

    private static func row(_ name: String, _ times: Times) -> [String] {
        [name]
            + [
                times.min, times.mean, times.p50, times.p90, times.p99, times.p999, times.max,
            ].map(milliseconds)
    }

    /// A bar for each part, the longest 50 columns; any reply at all shows.
    private var chart: String {
        let most = histogram.map(\.count).max() ?? 1
        let rows = histogram.map { bar in
            let width = bar.count == 0 ? 0 : max(1, bar.count * 50 / max(1, most))
            return [
                "≤ " + Self.milliseconds(bar.upTo), "\(bar.count)",
                String(repeating: "█", count: width),
            ]
        }
        return TextTable.render(["latency", "replies", ""], rows)
    }

    private static func milliseconds(_ value: Double) -> String {
        String(format: value < 1 ? "%.3f ms" : value < 100 ? "%.2f ms" : "%.0f ms", value)
    }

    private static func number(_ value: Double) -> String { String(format: "%.0f", value) }
}
