import ArgumentParser
import DecisionForests
import Foundation
import MLflow
import ModelFormats

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a model on this machine, without a cluster.",
        discussion: """
            manta train --data iris.csv --target species --holdout 0.2 --model iris-model
            manta train --data a.csv b.csv --target y --learner forest --param trees=300 \\
              --param max_depth=12 --model forest-model --json
            manta train --learner forest --param help
            """)

    @OptionGroup var options: RecipeOptions

    @Option(help: "Threads to compute with; the model does not depend on it.")
    var threads = BinnedDataset.threadsDefault

    @Option(help: "The folder to write the MLflow model directory to.")
    var model: String?

    @Flag(help: "Replace a model directory that is there.")
    var force = false

    @Option(
        help: "Keep what is finished in this folder, and go on from there if it was interrupted.")
    var checkpoint: String?

    @Option(help: "Rounds or trees between two checkpoints; default: 10 rounds, 1 % of a forest.")
    var checkpointEvery: Int?

    @Flag(inversion: .prefixedNo, help: "Judge the training rows too.")
    var trainingMetrics = true

    @Flag(help: "Record the run, its data and its model in MLflow (MLFLOW_TRACKING_URI).")
    var log = false

    @Option(help: "The MLflow experiment; made when missing.")
    var experiment: String?

    @Option(help: "Make the logged model a version of this registered model.")
    var register: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try options.check()
        guard (1...4_096).contains(threads) else {
            throw ValidationError("--threads must be in 1...4096, not \(threads).")
        }
        if options.asksForHelp { return }
        guard model != nil else { throw ValidationError("--model names no folder.") }
        try checkCheckpoint()
        if !log, experiment != nil || register != nil {
            throw ValidationError("--experiment and --register need --log.")
        }
    }

    private func checkCheckpoint() throws {
        if let checkpointEvery {
            guard checkpoint != nil else {
                throw ValidationError("--checkpoint-every needs --checkpoint.")
            }
            guard (1...100_000).contains(checkpointEvery) else {
                throw ValidationError(
                    "--checkpoint-every must be in 1...100000, not \(checkpointEvery).")
            }
        }
        guard let checkpoint, let model else { return }
        // The model's folder is replaced as a whole.
        let paths = [checkpoint, model].map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        guard paths[0] != paths[1], !paths[0].hasPrefix(paths[1] + "/") else {
            throw ValidationError("--checkpoint must not be the model's folder or in it.")
        }
    }

    /// The folder for checkpoints, if one is asked for and the learner has a use for it.
    private func checkpoints(of recipe: TrainingRecipe) throws -> CheckpointFolder? {
        guard let checkpoint else { return nil }
        guard try LearnerKind.named(recipe.learner.learner).isResumable else {
            writeError(
                "The learner '\(recipe.learner.learner)' is fitted at once and keeps no "
                    + "checkpoints; \(checkpoint) is left alone.\n")
            return nil
        }
        return try CheckpointFolder(checkpoint, for: recipe)
    }

    func run() async throws {
        if options.asksForHelp { return writeOut(try options.parameterTable()) }
        let environment = Environment.current()
        try environment.chooseKernels()
        let interruption = Interruption()
        try await interruption.during {
            let place = try ModelPlace(model ?? "", force: force)
            interruption.onFailure { place.discard() }
            let recipe = try await onOwnThread { try options.recipe() }
            let training = Training(
                recipe: recipe, threads: threads, judgesTraining: trainingMetrics, place: place,
                checkpoints: try checkpoints(of: recipe), checkpointEvery: checkpointEvery,
                interruption: interruption,
                line: ProgressLine(
                    recipe.learner.learner, isTerminal: ProgressLine.isPossible(environment)))
            let finished: Training.Finished
            if log {
                let tracking = try TrainingLog(
                    environment, experiment: experiment, register: register)
                finished = try await tracking.record(training)
            } else {
                finished = try await training.finish()
            }
            if json { return try writeJSON(finished.report) }
            writeOut(finished.report.text(finished.outcome))
        }
    }
}

/// A training with a place for its model.
struct Training: Sendable {
    let recipe: TrainingRecipe
    let threads: Int
    let judgesTraining: Bool
    let place: ModelPlace
    let checkpoints: CheckpointFolder?
    let checkpointEvery: Int?
    let interruption: Interruption
    let line: ProgressLine
    /// Told how far the fit is, beside the progress line.
    var observer: FitObserver?

    /// What came out, its directory written and in its place.
    struct Finished: Sendable {
        let outcome: TrainingWork.Outcome
        var report: TrainReport
    }

    func finish() async throws -> Finished {
        let outcome = try await onOwnThread { try learn() }
        let manifest = try outcome.write(to: place.temporary, recipe: recipe)
        try interruption.withoutBreak {
            try place.moveIn()
            checkpoints?.remove()
        }
        let digest = manifest.sha256(of: ModelDirectory.modelPath)?.hex ?? ""
        return Finished(
            outcome: outcome,
            report: TrainReport(
                outcome, recipe: recipe, threads: threads, model: place.path, digest: digest))
    }

    private func learn() throws -> TrainingWork.Outcome {
        var work = TrainingWork(recipe: recipe, threads: threads, judgesTraining: judgesTraining)
        (work.checkpoints, work.checkpointEvery) = (checkpoints, checkpointEvery)
        let (line, observer) = (line, observer)
        if line.isTerminal || observer != nil {
            work.observer = { progress in
                line.show(progress)
                try observer?(progress)
            }
        }
        defer { line.end() }
        return try work.run()
    }
}

extension TrainingWork.Outcome {
    /// Writes the model directory with the recipe in it.
    func write(
        to directory: String, recipe: TrainingRecipe, facts: MLmodelFacts? = nil
    ) throws -> ModelDirectoryManifest {
        let manifest = try ModelDirectory.write(
            model, to: directory, facts: facts ?? MLmodelFacts(created: Date()),
            inputExample: origin.example, profile: origin.profile)
        let file = URL(fileURLWithPath: directory + "/" + TrainingRecipe.path)
        try Data(try recipe.json().utf8).write(to: file, options: .atomic)
        return manifest
    }
}
