/// Anything that learns a model from a data set.
///
/// `fit` is a function of the learner's parameters and the data: the number of threads and whoever
/// looks on make no difference to a single bit of the model.
public protocol Learner: Codable, Sendable, CustomStringConvertible {
    /// "RandomForestClassifier".
    static var name: String { get }
    /// The parameters as MLflow shows them, the seed included.
    var parameters: [TrainedModel.Parameter] { get }
    /// The model of this data.
    ///
    /// - Parameters:
    ///   - validation: Rows to stop early by, for learners that do; others leave them alone.
    ///   - threads: Threads to compute with, at least 1.
    ///   - observer: Told how far the fit is; what it throws ends the fit and is thrown on.
    /// - Throws: `TrainingError` for data that nothing can be learned from.
    func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, observer: FitObserver?
    ) throws -> TrainedModel
}

/// What a fit tells while it goes on, from the thread that called it.
public typealias FitObserver = @Sendable (FitProgress) throws -> Void

/// How far a fit is.
public struct FitProgress: Sendable, Hashable {
    /// Rounds or trees that are done.
    public let done: Int
    /// Rounds or trees at most.
    public let total: Int
    /// Figures of the round that has just ended ("train_log_loss", "valid_log_loss"), in a fixed
    /// order; empty for learners without rounds.
    public let metrics: [Evaluation.Metric]
    /// Rounds or trees that an interrupted fit had left to this one; 0 for a fit from the start.
    /// While `done` is no greater than that, rounds are told again, with the same figures.
    public let resumed: Int

    package init(
        done: Int, total: Int, metrics: [Evaluation.Metric] = [], resumed: Int = 0
    ) {
        (self.done, self.total) = (done, total)
        (self.metrics, self.resumed) = (metrics, resumed)
    }
}

extension Learner {
    /// The learner's name.
    public var name: String { Self.name }

    /// The model of this data.
    public func fit(
        _ dataset: Dataset, validation: Dataset? = nil,
        threads: Int = BinnedDataset.threadsDefault
    ) throws -> TrainedModel {
        try fit(dataset, validation: validation, threads: threads, observer: nil)
    }
}

/// A learner of any kind, in a form that can be sent: its name and its parameters.
public struct AnyLearner: Codable, Sendable {
    /// The learner.
    public let learner: any Learner

    /// Wraps a learner for sending.
    public init(_ learner: any Learner) {
        self.learner = learner
    }

    private enum CodingKeys: String, CodingKey {
        case name, learner
    }

    /// The kinds that can be received.
    private static let kinds: [any Learner.Type] = [
        RandomForestClassifier.self, RandomForestRegressor.self, ExtraTreesClassifier.self,
        ExtraTreesRegressor.self, GradientBoostingClassifier.self, GradientBoostingRegressor.self,
        LogisticRegression.self, RidgeRegression.self, ObliqueForestClassifier.self,
        ObliqueForestRegressor.self,
    ]

    /// Rebuilds the learner; an unknown name or a parameter out of range throws.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let name = try fields.decode(String.self, forKey: .name)
        guard let kind = Self.kinds.first(where: { $0.name == name }) else {
            let known = Self.kinds.map { $0.name }.joined(separator: ", ")
            throw DecodingError.dataCorruptedError(
                forKey: .name, in: fields,
                debugDescription: "'\(name.prefix(80))' is no learner; known are \(known)")
        }
        learner = try kind.init(from: fields.superDecoder(forKey: .learner))
    }

    /// Writes name and parameters.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(learner.name, forKey: .name)
        try learner.encode(to: fields.superEncoder(forKey: .learner))
    }
}
