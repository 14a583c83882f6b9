import DecisionForests
import Foundation
import MLflow
import ModelFormats

/// Records a training in MLflow: parameters, metrics of every round, the data's digests, the recipe
/// that `manta verify` follows, and the model.
struct TrainingLog: Sendable {
    /// The run's tag that holds the recipe, or says that it is an artifact.
    static let recipeTag = "manta.train"
    /// The run's tag that holds the SHA-256 of `model.manta`.
    static let digestTag = "manta.model_sha256"
    /// Where the recipe is if it is too long for a tag.
    static let recipeArtifact = "manta/train.json"
    /// Servers cut longer values off without a word.
    static let tagBytesMax = 5_000

    let recorder: RunRecorder
    let experiment: String?
    let register: String?

    init(_ environment: Environment, experiment: String?, register: String?) throws {
        recorder = RunRecorder(try environment.mlflowClient())
        (self.experiment, self.register) = (experiment, register)
    }

    /// Trains within a run that ends as finished, failed, or killed when the process is asked to
    /// end.
    func record(_ training: Training) async throws -> Training.Finished {
        var options = RunRecorder.Options()
        options.experiment = experiment
        options.user = NSUserName()
        options.sourceName = "manta train"
        return try await recorder.run(options) { run in
            training.interruption.beforeEnd { await run.abandon(as: .killed) }
            defer { training.interruption.beforeEnd(nil) }
            try await begin(training.recipe, in: run)
            var finished = try await watched(training, by: run)
            finished.report.tracking = try await end(finished, training, in: run)
            return finished
        }
    }

    private func begin(_ recipe: TrainingRecipe, in run: ActiveRun) async throws {
        let text = try recipe.json()
        let fits = text.utf8.count <= Self.tagBytesMax
        if !fits {
            try await run.logArtifact(bytes: Array(text.utf8), as: Self.recipeArtifact)
        }
        try await run.log(tags: [Self.recipeTag: fits ? text : "artifact:\(Self.recipeArtifact)"])
    }

    /// Sends each round's figures while the fit goes on.
    private func watched(
        _ training: Training, by run: ActiveRun
    ) async throws -> Training.Finished {
        let (rounds, feed) = AsyncStream.makeStream(of: FitProgress.self)
        var training = training
        training.observer = { progress in
            if !progress.metrics.isEmpty { feed.yield(progress) }
        }
        async let sent: Void = send(rounds, to: run)
        let finished: Training.Finished
        do {
            finished = try await training.finish()
        } catch {
            feed.finish()
            throw error
        }
        feed.finish()
        try await sent
        return finished
    }

    private func send(_ rounds: AsyncStream<FitProgress>, to run: ActiveRun) async throws {
        for await round in rounds {
            var values: [String: Double] = [:]
            for metric in round.metrics { values[metric.name] = metric.value }
            try await run.log(metrics: values, step: Int64(round.done))
        }
    }

    private func end(
        _ finished: Training.Finished, _ training: Training, in run: ActiveRun
    ) async throws -> TrainReport.Tracking {
        let (outcome, report) = (finished.outcome, finished.report)
        try await run.log(parameters: report.parameters)
        var metrics = ["fit_seconds": report.fitSeconds, "cpu_seconds": report.cpuSeconds]
        for (name, value) in report.metrics { metrics["holdout_" + name] = value }
        for (name, value) in report.trainingMetrics { metrics["training_" + name] = value }
        try await run.log(metrics: metrics)
        try await run.log(tags: [Self.digestTag: report.digest])
        try await run.log(inputs: [try input(training.recipe, outcome)])
        let model = try await logModel(outcome, training, in: run)
        let version = try await register.asyncMap { name in
            try await run.register(model, as: name).version
        }
        return .init(runID: run.id, runURL: run.link, modelURI: model.uri, version: version)
    }

    /// The data files as one input of the run.
    private func input(
        _ recipe: TrainingRecipe, _ outcome: TrainingWork.Outcome
    ) throws -> DatasetInput {
        let paths = recipe.data.map(\.path)
        let digests = recipe.data.map { $0.sha256 ?? "none" }.joined(separator: "\n")
        // One file: its own digest, as far as MLflow has room for it.
        let digest =
            recipe.data.count == 1
            ? recipe.data[0].sha256 ?? "none" : FileDigest(of: Array(digests.utf8)).hex
        let rows =
            outcome.figures.rows + outcome.figures.holdoutRows
            + outcome.figures.validationRows
        return DatasetInput(
            name: (paths.first.map { ($0 as NSString).lastPathComponent } ?? "data"),
            digest: String(digest.prefix(32)), sourceType: "local",
            source: try Self.json(["uri": paths.joined(separator: "\n")]), schema: outcome.schema,
            profile: try Self.json(["num_rows": rows]), context: "training")
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func logModel(
        _ outcome: TrainingWork.Outcome, _ training: Training, in run: ActiveRun
    ) async throws -> LoggedModel {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("manta-model-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let name = register.map(NewLoggedModel.name(forRegistered:)) ?? "model"
        let new = NewLoggedModel(
            name: name, modelType: outcome.model.mlflowType,
            parameters: Dictionary(
                outcome.model.parameters.map { ($0.name, $0.value) },
                uniquingKeysWith: { first, _ in first }))
        return try await run.logModel(new) { info in
            let facts = MLmodelFacts(
                created: Date(), runID: info.runID, modelID: info.modelID,
                artifactPath: info.artifactPath)
            _ = try outcome.write(to: folder, recipe: training.recipe, facts: facts)
            return folder
        }
    }
}

extension Optional {
    /// `map` for closures that wait.
    fileprivate func asyncMap<Result>(
        _ transform: (Wrapped) async throws -> Result
    ) async rethrows -> Result? {
        guard let value = self else { return nil }
        return try await transform(value)
    }
}
