/// What is to be logged for one run, in the order it came.
package struct LogBatch: Sendable, Hashable, Codable {
    package var metrics: [Metric]
    package var parameters: [String: String]
    package var tags: [String: String]

    package init(
        metrics: [Metric] = [], parameters: [String: String] = [:], tags: [String: String] = [:]
    ) {
        self.metrics = metrics
        self.parameters = parameters
        self.tags = tags
    }

    package var isEmpty: Bool { metrics.isEmpty && parameters.isEmpty && tags.isEmpty }
    package var count: Int { metrics.count + parameters.count + tags.count }

    /// Adds what was logged later: parameters keep their first value, tags take the last.
    mutating func add(_ later: LogBatch) {
        metrics += later.metrics
        parameters.merge(later.parameters) { old, _ in old }
        tags.merge(later.tags) { _, new in new }
    }

    /// Throws for the first entry that a server would refuse or silently cut.
    package func check() throws(MLflowError) {
        for metric in metrics { try LogLimits.checkKey(metric.key, of: "metric") }
        for (key, value) in parameters {
            try LogLimits.check(key, value, of: "parameter", valueMax: LogLimits.parameterMax)
        }
        for (key, value) in tags {
            try LogLimits.check(key, value, of: "tag", valueMax: LogLimits.tagMax)
        }
    }

    /// Pieces that each fit one `runs/log-batch` call, parameters first.
    func pieces() -> [LogBatch] {
        var pieces: [LogBatch] = []
        var current = LogBatch()
        var bytes = 0
        func makeRoom(for cost: Int, isFull: Bool) {
            guard
                isFull || current.count >= LogLimits.entryCountMax
                    || bytes + cost > LogLimits.bytesMax
            else {
                bytes += cost
                return
            }
            pieces.append(current)
            current = LogBatch()
            bytes = cost
        }
        for (key, value) in parameters.sorted(by: { $0.key < $1.key }) {
            makeRoom(
                for: LogLimits.jsonSize(key) + LogLimits.jsonSize(value) + 24,
                isFull: current.parameters.count >= LogLimits.parameterCountMax)
            current.parameters[key] = value
        }
        for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
            makeRoom(
                for: LogLimits.jsonSize(key) + LogLimits.jsonSize(value) + 24,
                isFull: current.tags.count >= LogLimits.tagCountMax)
            current.tags[key] = value
        }
        for metric in metrics {
            // 160: the longest number, time, step and model id with their names.
            makeRoom(for: LogLimits.jsonSize(metric.key) + 160, isFull: false)
            current.metrics.append(metric)
        }
        if !current.isEmpty { pieces.append(current) }
        return pieces
    }
}

/// What MLflow servers accept in one call and in one entry.
enum LogLimits {
    static let entryCountMax = 1000
    static let parameterCountMax = 100
    static let tagCountMax = 100
    static let bytesMax = 900_000  // the server's 1 MB less the frame around the entries
    static let keyMax = 250
    static let parameterMax = 6000  // a server cuts longer ones without a word
    static let tagMax = 8000

    static func check(
        _ key: String, _ value: String, of kind: String, valueMax: Int
    ) throws(MLflowError) {
        try checkKey(key, of: kind)
        guard value.count <= valueMax else {
            throw MLflowError(
                .invalidValue, operation: "log the \(kind)", subject: key,
                message: "its value has \(value.count) characters; MLflow keeps \(valueMax)",
                nextStep: "Log it as an artifact.")
        }
    }

    /// Letters, digits, `_ - . : /` and spaces, and nothing that reads as another path.
    static func checkKey(_ key: String, of kind: String) throws(MLflowError) {
        let segments = key.split(separator: "/", omittingEmptySubsequences: false)
        let isPath = segments.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        let isPlain = key.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0)
                || "_-. :/".unicodeScalars.contains($0)
        }
        guard isPath, isPlain, key.count <= keyMax else {
            throw MLflowError(
                .invalidValue, operation: "log the \(kind)", subject: key,
                message: "a key has 1 to \(keyMax) letters, digits, spaces or '_-.:/'")
        }
    }

    /// The bytes of a string as JSON, quotes included.
    static func jsonSize(_ text: String) -> Int {
        var size = 2
        for byte in text.utf8 {
            switch byte {
            case 0..<0x20: size += 6
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): size += 2
            default: size += 1
            }
        }
        return size
    }
}

extension MLflowClient {
    /// Logs everything, in as many calls as the server's limits ask for.
    ///
    /// Each call is stored wholly or not at all. A second delivery changes nothing.
    ///
    /// - Throws: `parameterChanged` when a parameter of the run has another value.
    package func log(_ batch: LogBatch, run id: String) async throws(MLflowError) {
        struct Body: Encodable {
            var runId: String
            var metrics: [WireMetric]
            var params: [Pair]
            var tags: [Pair]
        }
        try batch.check()
        for piece in batch.pieces() {
            let body = Body(
                runId: id, metrics: piece.metrics.map(WireMetric.init),
                params: Pair.list(piece.parameters), tags: Pair.list(piece.tags))
            try await tracking.perform(
                .post("mlflow/runs/log-batch", body, to: "log to the run", id))
        }
    }
}
