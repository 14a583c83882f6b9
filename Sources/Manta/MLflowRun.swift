public import DecisionForests

import Crypto
import Foundation
import MLflow
import ModelFormats

/// A run that is being recorded; see `MLflow.run`.
///
/// Values are sent in batches each second and at the end. While the server is away everything
/// waits on the worker and is sent when it is back: recording never fails a job. Without a tracking
/// server nothing is recorded and nothing fails.
public struct MLflowRun: Sendable {
    let active: SpooledRun?

    init(recording active: SpooledRun?) {
        self.active = active
    }

    /// 32 hexadecimal digits; "pending:" and a key of ours while the server is away and has not
    /// made the run; nil when nothing is recorded.
    public var id: String? { active.map { $0.run?.id ?? "pending:" + $0.effectKey } }

    /// The run's page; nil when nothing is recorded or the server has not made the run.
    public var url: String? { active?.link }

    // MARK: Parameters, metrics, tags

    /// Logs a learner's parameters: `run.log(learner.parameters)`.
    ///
    /// - Throws: when one was logged with another value before; so do later calls.
    public func log(_ parameters: [TrainedModel.Parameter]) async throws {
        var values: [String: String] = [:]
        for parameter in parameters { values[parameter.name] = parameter.value }
        try await active?.log(parameters: values)
    }

    /// Logs parameters by name; numbers and flags are written as text.
    public func log(
        parameters: KeyValuePairs<String, any CustomStringConvertible & Sendable>
    ) async throws {
        try await log(parameters.map { TrainedModel.Parameter($0, $1.description) })
    }

    /// Logs one value of each metric.
    public func log(metrics: [String: Double], step: Int = 0) async throws {
        try await active?.log(metrics: metrics, step: Int64(step))
    }

    /// Logs an evaluation's figures, each name with the prefix in front: "holdout_accuracy".
    public func log(
        metrics evaluation: Evaluation, prefix: String = "", step: Int = 0
    ) async throws {
        var values: [String: Double] = [:]
        for metric in evaluation.metrics { values[prefix + metric.name] = metric.value }
        try await log(metrics: values, step: step)
    }

    /// Logs one value of one metric.
    public func log(metric name: String, _ value: Double, step: Int = 0) async throws {
        try await active?.log(metrics: [name: value], step: Int64(step))
    }

    /// Sets tags; a later value replaces an earlier one.
    public func log(tags: [String: String]) async throws {
        try await active?.log(tags: tags)
    }

    // MARK: Data and files

    /// Notes the data set as an input of the run.
    ///
    /// - Parameters:
    ///   - name: shown in MLflow.
    ///   - source: where it came from, a path or an address.
    ///   - context: "training", "holdout", …
    public func log(
        dataset: Dataset, name: String = "dataset", source: String = "", context: String? = nil
    ) async throws {
        guard let active else { return }
        try await active.log(inputs: [
            DatasetInput(
                name: name, digest: String(SHA256.hexDigest(of: dataset.encoded()).prefix(32)),
                sourceType: source.hasPrefix("http") ? "http" : "local",
                source: try Self.json([source.hasPrefix("http") ? "url" : "uri": source]),
                schema: dataset.mlflowSchema,
                profile: try Self.json([
                    "num_rows": dataset.rowCount,
                    "num_elements": dataset.rowCount * (dataset.featureCount + 1),
                ]), context: context)
        ])
    }

    /// Stores a local file among the run's artifacts, by default under its own name.
    public func log(artifact path: String, as artifactPath: String? = nil) async throws {
        guard let active else { return }
        if try await !active.logArtifact(path, as: artifactPath) {
            Self.warnOfRoom(for: artifactPath ?? path)
        }
    }

    /// Stores text as an artifact: `run.log(text: report, as: "report.md")`.
    public func log(text: String, as artifactPath: String) async throws {
        try await store(Array(text.utf8), as: artifactPath)
    }

    /// Stores bytes as an artifact.
    func store(_ bytes: [UInt8], as artifactPath: String) async throws {
        guard let active else { return }
        if try await !active.logArtifact(bytes: bytes, as: artifactPath) {
            Self.warnOfRoom(for: artifactPath)
        }
    }

    /// Stores all files of a local folder among the run's artifacts.
    public func log(artifacts folder: String, below artifactPath: String? = nil) async throws {
        guard let active else { return }
        let left = try await active.logArtifacts(folder: folder, below: artifactPath)
        for path in left { Self.warnOfRoom(for: path) }
    }

    /// Said of a file that is lost because MLflow is away and the spool is full.
    static func warnOfRoom(for path: String) {
        StandardStreams.writeError(
            "warning: MLflow is away and its spool is full: '\(path)' is not kept\n")
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
