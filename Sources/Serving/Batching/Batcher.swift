/// Gathers items into batches, in the order they come: a value that decides when which go.
///
/// A batch goes when it has as many rows as it may, or when its first item has waited long enough,
/// and when fewer than so many batches are being computed. It holds whole items and never more rows
/// than the bound, but for an item that has more by itself.
struct Batcher<Item: Sendable>: Sendable {
    private struct Waiting {
        let item: Item
        let rowCount: Int
        let since: Duration
    }

    /// Rows of a batch; may change between two events.
    var rowsMax: Int
    let wait: Duration
    let concurrentMax: Int
    private var waiting: [Waiting] = []
    private(set) var waitingRowCount = 0
    private(set) var runningCount = 0

    init(rowsMax: Int, wait: Duration, concurrentMax: Int) {
        self.rowsMax = rowsMax
        self.wait = wait
        self.concurrentMax = concurrentMax
    }

    var waitingCount: Int { waiting.count }

    /// One more item; a batch where one goes now. Every batch that goes needs one `finish`.
    mutating func add(_ item: Item, rowCount: Int, at now: Duration) -> [Item]? {
        waiting.append(Waiting(item: item, rowCount: rowCount, since: now))
        waitingRowCount += rowCount
        return next(at: now)
    }

    /// A batch is computed; the next one where one goes now.
    mutating func finish(at now: Duration) -> [Item]? {
        precondition(runningCount > 0, "a batch ends once")
        runningCount -= 1
        return next(at: now)
    }

    /// When `next` must be asked though nothing happens: the first item has waited long enough
    /// then. Nil where a `finish` comes before or nobody waits.
    var deadline: Duration? {
        guard runningCount < concurrentMax else { return nil }
        return waiting.first.map { $0.since + wait }
    }

    /// A batch where one goes now.
    mutating func next(at now: Duration) -> [Item]? {
        guard runningCount < concurrentMax, let first = waiting.first else { return nil }
        guard waitingRowCount >= rowsMax || now - first.since >= wait else { return nil }
        var rowCount = 0
        var count = 0
        for one in waiting {
            guard count == 0 || rowCount + one.rowCount <= rowsMax else { break }
            rowCount += one.rowCount
            count += 1
        }
        let batch = waiting.prefix(count).map(\.item)
        waiting.removeFirst(count)
        waitingRowCount -= rowCount
        runningCount += 1
        return batch
    }
}

/// Chooses the size of batches from the time that rows take: as large as fits into the time by
/// which a batch may delay those behind it.
struct BatchPace: Sendable {
    /// Rows that stand behind a batch wait this long at most. Long beside the cost of a hand-over,
    /// short beside a network's.
    static let budget = Duration.milliseconds(2)

    let rowsMax: Int
    private(set) var secondsPerRow: Double?

    init(rowsMax: Int) { self.rowsMax = rowsMax }

    /// So many rows took so long. Recent batches count more: the last ten are half of the mean.
    mutating func measure(_ time: Duration, rowCount: Int) {
        guard rowCount > 0, time > .zero else { return }
        let now = time / .seconds(1) / Double(rowCount)
        secondsPerRow = secondsPerRow.map { $0 + (now - $0) * 0.067 } ?? now
    }

    /// Rows of the next batch.
    var batchSize: Int {
        guard let secondsPerRow else { return rowsMax }
        let rows = (Self.budget / .seconds(1)) / secondsPerRow
        return rows >= Double(rowsMax) ? rowsMax : max(1, Int(rows))
    }
}
