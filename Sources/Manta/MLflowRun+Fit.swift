public import DecisionForests

import Foundation
import MLflow

extension MLflowRun {
    /// Logs how well a forest answers rows that its trees did not see, as the metric "oob_score";
    /// nothing where no row was left unseen.
    public func log(outOfBag estimate: OutOfBagEstimate, step: Int = 0) async throws {
        guard let score = estimate.score else { return }
        try await log(metric: "oob_score", score, step: step)
    }

    /// Stores how much worse the model answers without each feature, as the artifact
    /// `feature_importance_permutation.json`.
    ///
    /// - Parameter model: the one that was measured.
    public func log(
        importance: PermutationImportance, of model: TrainedModel
    ) async throws {
        guard active != nil else { return }
        try await store(
            Self.json(model.featureNames, importance.means),
            as: "feature_importance_permutation.json")
    }

    /// Entries handed to the run at a time: what waits to be sent has a bound.
    private static let entriesMax = 1_000

    /// Logs the figures of a fit, each round's as one step, at the time when they were reached.
    ///
    /// MLflow keeps entries of equal name, step, time and value once, so repeating this harms
    /// nothing.
    func log(_ history: FitHistory) async throws {
        guard let active else { return }
        let metrics = history.rounds.flatMap { round in
            zip(round.names, round.values).map { name, value in
                Metric(key: name, value: value, timestamp: round.time, step: Int64(round.number))
            }
        }
        for start in stride(from: 0, to: metrics.count, by: Self.entriesMax) {
            let part = metrics[start..<min(metrics.count, start + Self.entriesMax)]
            try await active.log(LogBatch(metrics: Array(part)))
        }
    }

    /// Stores what each feature gained, under the name that MLflow's own loggers of boosted trees
    /// use; nothing for a model that does not know.
    func logImportances(of model: TrainedModel) async throws {
        guard active != nil, !model.gainImportances.isEmpty else { return }
        try await store(
            Self.json(model.featureNames, model.gainImportances),
            as: "feature_importance_gain.json")
    }

    /// One number per feature, by name.
    private static func json(_ names: [String], _ values: [Double]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return [UInt8](
            try encoder.encode(
                Dictionary(zip(names, values), uniquingKeysWith: { first, _ in first })))
    }
}
