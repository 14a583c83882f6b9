import ArgumentParser
import DecisionForests
import Foundation
import ModelFormats

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Answer the rows of files with a model directory.",
        discussion: """
            manta predict --model iris-model --data new.csv
            manta predict --model iris-model --data 'parts/*.csv.gz' --proba --output shares.csv

            Files may be larger than memory: rows are read, answered and written some at a time.
            Columns are found by name; those that the model does not know are left out.
            """)

    @Option(help: "The model directory.")
    var model: String

    @Option(
        parsing: .upToNextOption,
        help: "Data files, parts of one table in the order of their rows.")
    var data: [String]

    @Option(help: "The file to write, whole or not at all; default: standard output.")
    var output: String?

    @Flag(help: "Write each class's share instead of the most probable class.")
    var proba = false

    @Flag(help: "Write the sums before the transform.")
    var raw = false

    @Flag(help: "Write the number of the leaf in each tree.")
    var leaf = false

    @Option(help: "Threads to read and predict with; the answers do not depend on it.")
    var threads = BinnedDataset.threadsDefault

    func validate() throws {
        guard (1...4_096).contains(threads) else {
            throw ValidationError("--threads must be in 1...4096, not \(threads).")
        }
        guard [proba, raw, leaf].count(where: { $0 }) <= 1 else {
            throw ValidationError("--proba, --raw and --leaf exclude each other.")
        }
    }

    private var form: AnswerTable.Form {
        proba ? .shares : raw ? .raw : leaf ? .leaves : .answer
    }

    func run() async throws {
        try await answering(from: model, to: output) { model, sink in
            try write(model, to: sink)
        }
    }

    private func write(_ model: TrainedModel, to sink: AnswerSink) throws {
        let line = RowProgressLine(isTerminal: sink.showsProgress)
        defer { line.end() }
        let table = try AnswerTable(model, form: form)
        let rows = try RowStream(data, for: model, threads: threads)
        try sink.write(table.header)
        var rowCount = 0
        while let some = try rows.next() {
            try sink.write(try table.lines(of: some, threads: threads))
            rowCount += some.rowCount
            line.show(rowCount)
        }
    }
}

/// One line on a terminal's standard error that says how many rows have been answered.
final class RowProgressLine {
    private let isTerminal: Bool
    private let started = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?

    init(isTerminal: Bool) { self.isTerminal = isTerminal }

    /// Shows the rows so far, at most ten times a second.
    func show(_ rowCount: Int, now: ContinuousClock.Instant = .now) {
        if let lastShown, now - lastShown < ProgressLine.interval { return }
        guard isTerminal else { return }
        lastShown = now
        let speed = Double(rowCount) / max((now - started).inSeconds, 1e-9)
        writeError("\r\(rowCount) rows, \(Figures.short(speed)) a second\u{1b}[K")
    }

    /// Takes the line off the terminal again.
    func end() {
        if lastShown != nil { writeError("\r\u{1b}[K") }
    }
}
