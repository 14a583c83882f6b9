/// Which metric values go when a spool is full: the oldest half, but never the last value of a key.
/// What is charted loses its beginning; what is read as a result stays.
struct SpoolThinning {
    /// Values that stay without being their key's last.
    private var keptMax: Int
    private var keptCount = 0
    private var seen: Set<String> = []
    private(set) var droppedCount = 0

    /// - Parameter total: values that wait now.
    init(of total: Int) {
        keptMax = total / 2
    }

    /// What stays of a batch. Call it for the newest batch first.
    mutating func thin(_ batch: LogBatch) -> LogBatch {
        var kept: [Metric] = []
        for metric in batch.metrics.reversed() {
            let isLast = seen.insert(metric.key).inserted
            if isLast || keptCount < keptMax {
                keptCount += 1
                kept.append(metric)
            } else {
                droppedCount += 1
            }
        }
        return LogBatch(metrics: kept.reversed(), parameters: batch.parameters, tags: batch.tags)
    }
}
