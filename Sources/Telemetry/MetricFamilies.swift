import Synchronization

/// Counters under one name, one series for each set of label values.
package final class CounterFamily: MetricFamily {
    let description: MetricDescription
    private let series: SeriesTable<Double>

    init(_ description: MetricDescription, onOverflow: @escaping @Sendable (String) -> Void) {
        self.description = description
        series = SeriesTable(description, initial: 0, onOverflow: onOverflow)
    }

    /// Adds to the series with these label values, in the order of the family's labels.
    package func increment(_ labels: String..., by amount: Double = 1) {
        precondition(amount >= 0, "a counter never goes down")
        series.update(labels) { $0 += amount }
    }

    /// The present value, for tests and summaries.
    package func value(_ labels: String...) -> Double { series.value(labels) ?? 0 }

    func write(to text: inout String) {
        MetricText.header(description, .counter, to: &text)
        for (labels, value) in series.snapshot() {
            MetricText.sample(description.name, description.labels, labels, value, to: &text)
        }
    }
}

/// Gauges under one name.
package final class GaugeFamily: MetricFamily {
    let description: MetricDescription
    private let series: SeriesTable<Double>

    init(_ description: MetricDescription, onOverflow: @escaping @Sendable (String) -> Void) {
        self.description = description
        series = SeriesTable(description, initial: 0, onOverflow: onOverflow)
    }

    /// Sets the series with these label values.
    package func set(_ value: Double, _ labels: String...) {
        series.update(labels) { $0 = value }
    }

    /// Adds to the series, or takes away with a negative amount.
    package func add(_ amount: Double, _ labels: String...) {
        series.update(labels) { $0 += amount }
    }

    /// Forgets every series, for `info` gauges whose labels have changed.
    package func removeAll() { series.removeAll() }

    /// The present value, for tests and summaries.
    package func value(_ labels: String...) -> Double { series.value(labels) ?? 0 }

    func write(to text: inout String) {
        MetricText.header(description, .gauge, to: &text)
        for (labels, value) in series.snapshot() {
            MetricText.sample(description.name, description.labels, labels, value, to: &text)
        }
    }
}

/// Distributions under one name, in cumulative buckets.
package final class HistogramFamily: MetricFamily {
    /// OpenTelemetry's bounds for `http.server.request.duration`, in seconds.
    package static let secondsBuckets = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]
    /// One series: counts per bucket (the last one is +Inf's own share) and the sum.
    struct Cells: Sendable {
        var counts: [UInt64]
        var sum = 0.0
    }

    let description: MetricDescription
    private let buckets: [Double]
    private let series: SeriesTable<Cells>

    init(
        _ description: MetricDescription, buckets: [Double],
        onOverflow: @escaping @Sendable (String) -> Void
    ) {
        precondition(zip(buckets, buckets.dropFirst()).allSatisfy(<), "bucket bounds must rise")
        self.description = description
        self.buckets = buckets
        let cells = Cells(counts: Array(repeating: 0, count: buckets.count + 1))
        series = SeriesTable(description, initial: cells, onOverflow: onOverflow)
    }

    /// Counts one value; NaN is no value and is ignored.
    package func record(_ value: Double, _ labels: String...) {
        guard !value.isNaN else { return }
        let bucket = buckets.firstIndex { value <= $0 } ?? buckets.count
        series.update(labels) { cells in
            cells.counts[bucket] += 1
            cells.sum += value
        }
    }

    /// Makes the series of these label values visible before its first value.
    package func touch(_ labels: String...) {
        series.update(labels) { _ in }
    }

    /// How many values the series has counted.
    package func count(_ labels: String...) -> UInt64 {
        series.value(labels)?.counts.reduce(0, +) ?? 0
    }

    func write(to text: inout String) {
        MetricText.header(description, .histogram, to: &text)
        let bucketLabels = description.labels + ["le"]
        for (labels, cells) in series.snapshot() {
            var total: UInt64 = 0
            for (index, count) in cells.counts.enumerated() {
                total += count
                let bound = index < buckets.count ? MetricText.number(buckets[index]) : "+Inf"
                MetricText.sample(
                    description.name + "_bucket", bucketLabels, labels + [bound], Double(total),
                    to: &text)
            }
            MetricText.sample(
                description.name + "_sum", description.labels, labels, cells.sum, to: &text)
            MetricText.sample(
                description.name + "_count", description.labels, labels, Double(total), to: &text)
        }
    }
}

/// Values read at scrape time.
final class ObservedFamily: MetricFamily {
    let description: MetricDescription
    private let kind: MetricKind
    private let read: @Sendable () -> [(labels: [String], value: Double)]

    init(
        _ description: MetricDescription, kind: MetricKind,
        read: @escaping @Sendable () -> [(labels: [String], value: Double)]
    ) {
        self.description = description
        self.kind = kind
        self.read = read
    }

    func write(to text: inout String) {
        MetricText.header(description, kind, to: &text)
        for (labels, value) in read().prefix(SeriesTable<Double>.countMax) {
            MetricText.sample(description.name, description.labels, labels, value, to: &text)
        }
    }
}
