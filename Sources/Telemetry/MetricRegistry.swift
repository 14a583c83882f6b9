import Synchronization

/// The instruments of one process and their Prometheus text: what `GET /metrics` answers.
///
/// Registering the same name again returns the first instrument, so two parts of a process can
/// share one. Recording takes a short lock of one series, scraping copies each series under that
/// lock.
package final class MetricRegistry: Sendable {
    private let families = Mutex<[any MetricFamily]>([])
    /// Label sets refused because their family was full, counted for
    /// `manta_label_sets_dropped_total`.
    private let dropped: CounterFamily

    package init() {
        dropped = CounterFamily(
            MetricDescription(
                name: "manta_label_sets_dropped_total",
                help: "Label sets counted under 'other' because their family was full.",
                labels: ["family"]),
            onOverflow: { _ in })
        families.withLock { $0.append(dropped) }
    }

    /// A value that only grows; by convention its name ends in `_total`.
    package func counter(
        _ name: String, help: String, labels: [String] = []
    ) -> CounterFamily {
        register(MetricDescription(name: name, help: help, labels: labels)) {
            CounterFamily($0, onOverflow: self.overflowCount)
        }
    }

    /// A value that goes up and down.
    package func gauge(_ name: String, help: String, labels: [String] = []) -> GaugeFamily {
        register(MetricDescription(name: name, help: help, labels: labels)) {
            GaugeFamily($0, onOverflow: self.overflowCount)
        }
    }

    /// A distribution in buckets; `buckets` are upper bounds in rising order, without +Inf.
    package func histogram(
        _ name: String, help: String, labels: [String] = [],
        buckets: [Double] = HistogramFamily.secondsBuckets
    ) -> HistogramFamily {
        register(MetricDescription(name: name, help: help, labels: labels)) {
            HistogramFamily($0, buckets: buckets, onOverflow: self.overflowCount)
        }
    }

    /// Values read at the moment of the scrape: `read` gives label values and a number for each
    /// series.
    package func observed(
        _ name: String, help: String, labels: [String] = [], kind: MetricKind = .gauge,
        read: @escaping @Sendable () -> [(labels: [String], value: Double)]
    ) {
        let description = MetricDescription(name: name, help: help, labels: labels)
        _ = register(description) { ObservedFamily($0, kind: kind, read: read) }
    }

    /// All families in Prometheus text format 0.0.4; send as `MetricRegistry.contentType`.
    package func exposition() -> String {
        var text = ""
        text.reserveCapacity(8_192)
        for family in families.withLock({ $0 }) { family.write(to: &text) }
        return text
    }

    /// The media type of `exposition()`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var overflowCount: @Sendable (String) -> Void {
        { [dropped] family in dropped.increment(family) }
    }

    private func register<Family: MetricFamily>(
        _ description: MetricDescription, make: (MetricDescription) -> Family
    ) -> Family {
        description.check()
        return families.withLock { families in
            if let known = families.first(where: { $0.description.name == description.name }) {
                guard let same = known as? Family, known.description == description else {
                    preconditionFailure("metric \(description.name) registered twice, differently")
                }
                return same
            }
            let family = make(description)
            families.append(family)
            return family
        }
    }
}

/// The TYPE line of a family.
package enum MetricKind: String, Sendable {
    case counter, gauge, histogram
}

/// What a family is called and how its series differ.
package struct MetricDescription: Sendable, Hashable {
    package let name: String
    package let help: String
    package let labels: [String]

    /// Names are ours, so a wrong one is a programmer's error.
    func check() {
        precondition(Self.isName(name, allowsColon: true), "not a metric name: \(name)")
        for label in labels {
            precondition(Self.isName(label, allowsColon: false), "not a label name: \(label)")
        }
    }

    private static func isName(_ text: String, allowsColon: Bool) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            case UInt8(ascii: ":"): allowsColon
            default: false
            }
        }
    }
}

/// A named set of series that writes itself.
protocol MetricFamily: Sendable {
    var description: MetricDescription { get }
    func write(to text: inout String)
}
