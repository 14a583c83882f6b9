import DecisionForests
import ModelFormats
import Synchronization

/// What a model was trained on, remembered from `fit` to `log`: the distribution of its features,
/// for drift, and a few rows, as MLflow's input example.
final class FittedModels: Sendable {
    static let shared = FittedModels()

    struct Origin: Sendable {
        var profile: TrainingProfile
        var example: [[Float]]
    }

    /// Models of one job that wait to be logged. Older ones are logged without an origin.
    static let countMax = 8
    static let exampleRowCount = 5

    private let entries = Mutex<[(model: TrainedModel, origin: Origin)]>([])

    func remember(_ model: TrainedModel, _ dataset: Dataset) {
        let profile = TrainingProfile(names: dataset.featureNames, rowCount: dataset.rowCount) {
            dataset.columns[$0]
        }
        let example = (0..<min(Self.exampleRowCount, dataset.rowCount)).map { row in
            dataset.columns.map { $0[row] }
        }
        entries.withLock { entries in
            entries.append((model, Origin(profile: profile, example: example)))
            if entries.count > Self.countMax { entries.removeFirst() }
        }
    }

    /// Copies of one model share their trees' storage, so that finding one costs next to nothing.
    func origin(of model: TrainedModel) -> Origin? {
        entries.withLock { entries in entries.last { $0.model == model }?.origin }
    }
}
