import ArgumentParser
import DecisionForests
import Foundation
import ModelFormats

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Judge a model directory by rows with known answers.",
        discussion: "manta evaluate --model iris-model --data new.csv")

    @Option(help: "The model directory.")
    var model: String

    @Option(
        parsing: .upToNextOption,
        help: "Data files, parts of one table in the order of their rows.")
    var data: [String]

    @Option(help: "The column with the true answers; default: the one the model was trained on.")
    var target: String?

    @OptionGroup var columns: ColumnOptions

    @Option(help: "Threads to read with.")
    var threads = BinnedDataset.threadsDefault

    @Flag(help: "Print JSON.")
    var json = false

    /// What `--json` prints.
    private struct Report: Encodable {
        let model: String
        let digest: String
        let rows: Int
        let readSeconds: Double
        let predictSeconds: Double
        let metrics: [String: Double]
        let classes: [String]
        let confusion: [[Int]]
        /// Only where rows have weights.
        let confusionWeights: [[Double]]?

        private enum CodingKeys: String, CodingKey {
            case model, digest, rows
            case readSeconds = "read_seconds"
            case predictSeconds = "predict_seconds"
            case metrics, classes, confusion
            case confusionWeights = "confusion_weights"
        }
    }

    func validate() throws {
        guard (1...4_096).contains(threads) else {
            throw ValidationError("--threads must be in 1...4096, not \(threads).")
        }
    }

    func run() async throws {
        try Environment.current().chooseKernels()
        let loaded = try readModel(model)
        let start = ProcessUsage.now
        let dataset = try await onOwnThread { try read(for: loaded.model) }
        let afterRead = ProcessUsage.now
        let evaluation = try await onOwnThread { try loaded.model.evaluate(on: dataset) }
        let end = ProcessUsage.now
        if json {
            return try writeJSON(
                Report(
                    model: model, digest: loaded.sha256.hex, rows: dataset.rowCount,
                    readSeconds: afterRead.since(start).wall,
                    predictSeconds: end.since(afterRead).wall, metrics: evaluation.values,
                    classes: evaluation.classes.map(\.description),
                    confusion: evaluation.confusion,
                    confusionWeights: dataset.weights == nil ? nil : evaluation.confusionWeights))
        }
        writeOut("\(loaded.model.learner) of \(model) on \(dataset.rowCount) rows\n\n")
        writeOut(EvaluationText.table([("value", evaluation)]))
        let confusion = EvaluationText.confusion(evaluation)
        if !confusion.isEmpty { writeOut("\n" + confusion) }
    }

    /// The rows as the model knows them: its levels for categorical columns, its kind of target.
    private func read(for model: TrainedModel) throws -> Dataset {
        let kind: Dataset.TargetKind =
            if case .regression = model.task { .regression } else { .classification }
        var options = ReadOptions(
            target: target ?? model.targetName, task: kind, weight: columns.weight)
        options.ignore = Set(ColumnOptions.names(columns.ignore))
        options.categorical = Set(ColumnOptions.names(columns.categorical))
        options.featureKinds = Dictionary(
            uniqueKeysWithValues: zip(model.featureNames, model.featureKinds))
        options.threads = threads
        return try Dataset.load(data, options: options)
    }
}

/// Reads a model directory; exit code 3 if there is none.
func readModel(_ path: String) throws -> LoadedModel {
    guard FileManager.default.fileExists(atPath: path + "/" + ModelDirectory.mlmodelPath) else {
        throw CommandFailure(
            "\(path) is no model directory (it has no MLmodel).", code: ExitStatus.notFound)
    }
    return try ModelDirectory.read(at: path)
}
