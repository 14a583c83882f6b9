import DecisionForests
import Foundation

/// What `manta train --json` prints.
struct TrainReport: Encodable {
    /// "forest", as on the command line.
    let learner: String
    /// "RandomForestClassifier".
    let learnerName: String
    /// As MLflow shows them.
    let parameters: [String: String]
    /// "classification" or "regression".
    let task: String
    let rows: Int
    let holdoutRows: Int
    let validationRows: Int
    let features: Int
    let threads: Int
    let seed: UInt64
    let readSeconds: Double
    let binningSeconds: Double
    let fitSeconds: Double
    let cpuSeconds: Double
    let peakMemoryBytes: Int
    /// Of the holdout; empty without one.
    let metrics: [String: Double]
    let trainingMetrics: [String: Double]
    /// Rounds or trees that an interrupted run had left; only where there were some.
    let resumedAt: Int?
    /// Of those learners that learn in rounds.
    let rounds: Int?
    /// Absolute path of the model directory.
    let model: String
    /// SHA-256 of `manta/model.manta`.
    let digest: String
    var tracking: Tracking?

    /// Where MLflow has it.
    struct Tracking: Encodable {
        let runID: String
        let runURL: String
        let modelURI: String
        let version: String?

        private enum CodingKeys: String, CodingKey {
            case runID = "run_id"
            case runURL = "run_url"
            case modelURI = "model_uri"
            case version
        }
    }

    private enum CodingKeys: String, CodingKey {
        case learner
        case learnerName = "learner_name"
        case parameters, task, rows
        case holdoutRows = "holdout_rows"
        case validationRows = "validation_rows"
        case features, threads, seed
        case readSeconds = "read_seconds"
        case binningSeconds = "binning_seconds"
        case fitSeconds = "fit_seconds"
        case cpuSeconds = "cpu_seconds"
        case peakMemoryBytes = "peak_memory_bytes"
        case metrics
        case trainingMetrics = "training_metrics"
        case resumedAt = "resumed_at"
        case rounds = "best_round"
        case model, digest, tracking
    }

    init(
        _ outcome: TrainingWork.Outcome, recipe: TrainingRecipe, threads: Int, model path: String,
        digest: String
    ) {
        let (model, figures) = (outcome.model, outcome.figures)
        learner = recipe.learner.learner
        learnerName = model.learner
        parameters = Dictionary(
            model.parameters.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        task = model.task.name
        (rows, holdoutRows) = (figures.rows, figures.holdoutRows)
        (validationRows, features) = (figures.validationRows, figures.features)
        (self.threads, seed) = (threads, recipe.seed)
        (readSeconds, binningSeconds) = (figures.readSeconds, figures.binningSeconds)
        (fitSeconds, cpuSeconds) = (figures.fitSeconds, figures.cpuSeconds)
        resumedAt = figures.resumed > 0 ? figures.resumed : nil
        peakMemoryBytes = figures.peakMemoryInBytes
        metrics = outcome.holdout?.values ?? [:]
        trainingMetrics = outcome.training?.values ?? [:]
        let hasRounds = LearnerKind.all.contains {
            $0.name == recipe.learner.learner && $0.hasRounds
        }
        rounds = hasRounds ? model.ensemble.roundCount : nil
        (self.model, self.digest) = (path, digest)
    }

    /// The same for people.
    func text(_ outcome: TrainingWork.Outcome) -> String {
        var text = """
            Trained \(outcome.learner) on \(rows) rows of \(features) features.
            Read in \(Figures.seconds(readSeconds)), learned in \(Figures.seconds(fitSeconds)) \
            (\(Figures.seconds(cpuSeconds)) of CPU), at most \(Figures.size(peakMemoryBytes)) of \
            memory.

            """
        if let resumedAt {
            text += "Resumed at \(rounds == nil ? "tree" : "round") \(resumedAt).\n"
        }
        if let rounds, validationRows > 0 {
            text += "Best round on \(validationRows) validation rows: \(rounds).\n"
        }
        let columns = [("training", outcome.training), ("holdout", outcome.holdout)]
            .compactMap { name, evaluation in evaluation.map { (name, $0) } }
        if !columns.isEmpty { text += "\n" + EvaluationText.table(columns) }
        text += "\nModel: \(model)\nSHA-256 of model.manta: \(digest)\n"
        if let tracking {
            text += "Run: \(tracking.runURL)\n"
            if let version = tracking.version { text += "Registered as version \(version).\n" }
        }
        return text
    }
}

extension TrainedModel.Task {
    /// "classification" or "regression".
    var name: String {
        switch self {
        case .classification: "classification"
        case .regression: "regression"
        }
    }
}

extension TreeEnsemble {
    /// Rounds of a booster: trees per output.
    var roundCount: Int { leafWidth == 1 ? trees.count / max(1, outputCount) : trees.count }
}
