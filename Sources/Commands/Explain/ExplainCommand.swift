import ArgumentParser
import DecisionForests
import Foundation
import ModelFormats

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what each feature adds to a model's answers.",
        discussion: """
            manta explain --model iris-model --data new.csv --output contributions.csv
            manta explain --model iris-model --data new.csv --global
            manta explain --model iris-model --data new.csv --partial petal_width

            Contributions are exact Shapley values (TreeSHAP) on the scale of the raw scores; with
            the expected value they sum to a row's score. docs/EXPLANATION.md says how.
            """)

    @Option(help: "The model directory.")
    var model: String

    @Option(
        parsing: .upToNextOption,
        help: "Data files, parts of one table in the order of their rows.")
    var data: [String]

    @Option(help: "The file for the contributions; default: standard output.")
    var output: String?

    @Flag(name: .customLong("global"), help: "Rank the features by their mean |contribution|.")
    var isGlobal = false

    @Option(help: "How the answer depends on this feature, or on two: NAME or NAME,NAME.")
    var partial: String?

    @Option(help: "For --partial, the average over the rows, or the trees alone: rows, recursion.")
    var method = DependenceMethod.rows

    @Flag(help: "For --partial, raw scores rather than probabilities or values.")
    var raw = false

    @Option(help: "Threads to read and explain with.")
    var threads = BinnedDataset.threadsDefault

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...4_096).contains(threads) else {
            throw ValidationError("--threads must be in 1...4096, not \(threads).")
        }
        if partial != nil, isGlobal {
            throw ValidationError("--partial and --global exclude each other.")
        }
        if partial == nil, raw || method != .rows {
            throw ValidationError("--method and --raw go with --partial.")
        }
    }

    func run() async throws {
        try await answering(from: model, to: output) { model, sink in
            if let partial {
                try depend(on: partial, model, sink)
            } else if isGlobal {
                try rank(model, sink)
            } else {
                try explain(model, sink)
            }
        }
    }

    /// A line for each row and output, as the rows come.
    private func explain(_ model: TrainedModel, _ sink: AnswerSink) throws {
        let line = RowProgressLine(isTerminal: sink.showsProgress)
        defer { line.end() }
        let (explainer, table) = (try model.explainer(), ContributionTable(model))
        let rows = try RowStream(data, for: model, threads: threads)
        if !json { try sink.write(table.header) }
        var done = 0
        while let block = try rows.next() {
            for part in try ContributionTable.parts(of: block, outputs: explainer.outputCount) {
                let values = try explainer.contributions(of: part, threads: threads)
                try sink.write(
                    json
                        ? table.jsonLines(values, firstRow: done)
                        : table.lines(values, firstRow: done))
                done += part.rowCount
            }
            line.show(done)
        }
    }

    /// The features, those that add most first.
    private func rank(_ model: TrainedModel, _ sink: AnswerSink) throws {
        let explainer = try model.explainer()
        var ranking = FeatureRanking(model, explainer)
        let rows = try RowStream(data, for: model, threads: threads)
        while let block = try rows.next() {
            for part in try ContributionTable.parts(of: block, outputs: explainer.outputCount) {
                ranking.add(try explainer.contributions(of: part, threads: threads))
            }
        }
        try sink.write(json ? ranking.json() : ranking.text)
    }

    /// Cells of the rows that partial dependence averages over: 1 GiB.
    private static let cellCountMax = 1 << 28

    private func depend(on names: String, _ model: TrainedModel, _ sink: AnswerSink) throws {
        let features = try DependenceTable.features(names, of: model)
        let rows = try RowStream(data, for: model, threads: threads)
        var values: [Float] = []
        while let block = try rows.next() {
            values += block.values
            guard values.count <= Self.cellCountMax else {
                throw CommandFailure(
                    "Partial dependence holds all rows at once, at most "
                        + "\(Self.cellCountMax) cells; give it a sample of them.")
            }
        }
        let found = try model.partialDependence(
            of: features,
            rows: FeatureMatrix(values: values, featureCount: model.featureNames.count),
            method: method.method, scale: raw ? .raw : .prediction, threads: threads)
        let table = DependenceTable(model, found)
        try sink.write(json ? table.json() : table.text)
    }
}

/// How `--partial` averages.
enum DependenceMethod: String, ExpressibleByArgument, CaseIterable {
    case rows, recursion

    var method: PartialDependence.Method {
        switch self {
        case .rows: .rows
        case .recursion: .recursion
        }
    }
}
