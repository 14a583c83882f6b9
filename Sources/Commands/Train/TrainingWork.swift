import DecisionForests
import Foundation
import ModelFormats
import Synchronization

/// Reads, divides, learns and judges: what `manta train` and `manta verify` do alike.
///
/// The model is a function of the recipe alone. Call it from a thread of its own.
struct TrainingWork: Sendable {
    let recipe: TrainingRecipe
    let threads: Int
    /// Whether the training rows are answered too, for figures beside the holdout's.
    var judgesTraining = true
    /// Told how far the fit is.
    var observer: FitObserver?
    /// Where the fit keeps what is finished, and finds what an interrupted run had.
    var checkpoints: CheckpointFolder?
    /// Rounds or trees between two checkpoints; nil for the learner's own choice.
    var checkpointEvery: Int?

    /// A model and how it came about.
    struct Outcome: Sendable {
        let model: TrainedModel
        let learner: String
        let origin: ModelOrigin
        let training: Evaluation?
        let holdout: Evaluation?
        let figures: Figures
        /// For MLflow.
        let schema: String
    }

    /// What it took.
    struct Figures: Sendable {
        var rows = 0
        var holdoutRows = 0
        var validationRows = 0
        var features = 0
        var readSeconds = 0.0
        /// 0 for learners that need no bins.
        var binningSeconds = 0.0
        /// Binning included.
        var fitSeconds = 0.0
        /// User and system time of the fit, binning included.
        var cpuSeconds = 0.0
        /// Rounds or trees that an interrupted run had left.
        var resumed = 0
        /// Of the whole process until the fit's end.
        var peakMemoryInBytes = 0
    }

    func run() throws -> Outcome {
        let start = ProcessUsage.now
        let (learning, validation, holdout) = try divide(recipe.load(threads: threads))
        let afterRead = ProcessUsage.now
        var figures = Figures(
            rows: learning.rowCount, holdoutRows: holdout?.rowCount ?? 0,
            validationRows: validation?.rowCount ?? 0, features: learning.featureCount,
            readSeconds: afterRead.since(start).wall)
        let learner = try recipe.learner.learner(for: learning.target)
        let model = try fit(learner, learning, validation, &figures)
        return Outcome(
            model: model, learner: learner.description, origin: ModelOrigin(of: learning),
            training: judgesTraining ? try model.evaluate(on: learning) : nil,
            holdout: try holdout.map { try model.evaluate(on: $0) }, figures: figures,
            schema: learning.mlflowSchema)
    }

    private func fit(
        _ learner: any Learner, _ learning: Dataset, _ validation: Dataset?,
        _ figures: inout Figures
    ) throws -> TrainedModel {
        let start = ProcessUsage.now
        let model: TrainedModel
        if let resumable = learner as? any ResumableLearner {
            let binned = Mutex(0.0)
            var course = FitCourse(observer: observer)
            course.onBinned = { binned.withLock { $0 = ProcessUsage.now.since(start).wall } }
            if let checkpoints {
                course.earlier = try checkpoints.read()
                course.interval = checkpointEvery
                course.keep = { try checkpoints.write($0) }
            }
            figures.resumed = course.earlier?.done ?? 0
            model = try resumable.fit(
                learning, validation: validation, threads: threads, course: course)
            figures.binningSeconds = binned.withLock { $0 }
        } else {
            model = try learner.fit(
                learning, validation: validation, threads: threads, observer: observer)
        }
        let end = ProcessUsage.now
        (figures.fitSeconds, figures.cpuSeconds) = end.since(start)
        figures.peakMemoryInBytes = end.peakMemoryInBytes
        return model
    }

    /// The rows to learn from, to stop by, and to judge by.
    private func divide(
        _ data: Dataset
    ) throws -> (learning: Dataset, validation: Dataset?, holdout: Dataset?) {
        var (learning, holdout): (Dataset, Dataset?) = (data, nil)
        if let count = recipe.trainRows {
            guard count < data.rowCount else {
                throw CommandFailure(
                    "--train-rows \(count) leaves none of the \(data.rowCount) rows to judge by.",
                    code: ExitStatus.usage)
            }
            learning = data.subset(rows: Array(0..<count))
            holdout = data.subset(rows: Array(count..<data.rowCount))
        } else if let share = recipe.holdout {
            (learning, holdout) = try split(data, share, seed: recipe.seed)
        }
        guard let share = recipe.validation else { return (learning, nil, holdout) }
        let parts = try split(learning, share, seed: recipe.seed &+ 1)
        return (parts.train, parts.holdout, holdout)
    }

    /// Two parts with rows each.
    private func split(
        _ data: Dataset, _ share: Double, seed: UInt64
    ) throws -> (train: Dataset, holdout: Dataset) {
        guard data.rowCount >= 2 else {
            throw CommandFailure("\(data.rowCount) rows cannot be divided.")
        }
        guard let groups = data.groups else { return data.split(holdout: share, seed: seed) }
        return try data.split(holdout: share, groups: groups, seed: seed)
    }
}
