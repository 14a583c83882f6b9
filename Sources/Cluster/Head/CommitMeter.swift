import Jobs
import Synchronization
import Telemetry

/// The store's counters as metrics of the head, read in the background so that a scrape never waits
/// for the store.
struct CommitMeter: Sendable {
    private static let interval = Duration.seconds(2)

    private let store: any JobStore
    private let last = LastCounters()

    init(store: any JobStore, in metrics: MetricRegistry) {
        self.store = store
        let last = last
        metrics.observed(
            "manta_duplicate_commits_total",
            help: "Endings of attempts that were told again and changed nothing.", kind: .counter
        ) { [([], Double(last.value.duplicateCommits))] }
        metrics.observed(
            "manta_refused_commits_total",
            help: "Endings of attempts refused because their lease was another's.", kind: .counter
        ) { [([], Double(last.value.refusedCommits))] }
    }

    /// Reads until the task is cancelled; while the store is away the last values stand.
    func run() async {
        while !Task.isCancelled {
            if let counters = try? await store.counters() { last.value = counters }
            try? await Task.sleep(for: CommitMeter.interval)
        }
    }
}

private final class LastCounters: Sendable {
    private let counters = Mutex(StoreCounters())

    var value: StoreCounters {
        get { counters.withLock { $0 } }
        set { counters.withLock { $0 = newValue } }
    }
}
