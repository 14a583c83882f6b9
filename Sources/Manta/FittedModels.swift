import DecisionForests
import ModelFormats
import Synchronization

/// What a model was trained on, remembered from `fit` to `log`: the distribution of its features,
/// for drift, and a few rows, as MLflow's input example.
final class FittedModels: Sendable {
    static let shared = FittedModels()

    /// Models of one job that wait to be logged. Older ones are logged without an origin.
    static let countMax = 8

    private let entries = Mutex<[(model: TrainedModel, origin: ModelOrigin)]>([])

    func remember(_ model: TrainedModel, _ dataset: Dataset) {
        let origin = ModelOrigin(of: dataset)
        entries.withLock { entries in
            entries.append((model, origin))
            if entries.count > Self.countMax { entries.removeFirst() }
        }
    }

    /// Copies of one model share their trees' storage, so that finding one costs next to nothing.
    func origin(of model: TrainedModel) -> ModelOrigin? {
        entries.withLock { entries in entries.last { $0.model == model }?.origin }
    }
}
