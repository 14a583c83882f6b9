/// Anything that learns an ensemble tree by tree, so that its trees can be grown anywhere.
///
/// `grow` is a function of the data, the learner's parameters and the trees' numbers; who calls it,
/// on which machine and with how many threads makes no difference to a single bit.
public protocol EnsembleLearner: Codable, Sendable, CustomStringConvertible {
    /// "RandomForestClassifier".
    static var name: String { get }
    /// The parameters as MLflow shows them, spelled as in scikit-learn, the seed included.
    var parameters: [TrainedModel.Parameter] { get }
    /// Trees of the finished ensemble.
    var treeCount: Int { get }
    /// Decides the sample that bins are cut by.
    var binningSeed: UInt64 { get }
    /// The trees of these numbers, in order.
    func grow(trees: Range<Int>, on data: BinnedDataset, threads: Int) throws -> [Tree]
    /// The model that all trees, in the order of their numbers, make up.
    func model(from trees: [Tree], trainedOn dataset: Dataset) throws -> TrainedModel
}

extension EnsembleLearner {
    /// The learner's name.
    public var name: String { Self.name }

    /// The trees of these numbers, in order, on as many threads as given.
    public func grow(
        trees: Range<Int>, on dataset: Dataset, threads: Int = BinnedDataset.threadsDefault
    ) throws -> [Tree] {
        try grow(
            trees: trees, on: BinnedDataset(dataset, seed: binningSeed, threads: threads),
            threads: threads)
    }

    /// The model of all trees, grown in this process.
    public func fit(
        _ dataset: Dataset, threads: Int = BinnedDataset.threadsDefault
    ) throws -> TrainedModel {
        try model(
            from: grow(trees: 0..<treeCount, on: dataset, threads: threads), trainedOn: dataset)
    }
}

/// A learner of any kind, in a form that can be sent: its name and its parameters.
public struct AnyLearner: Codable, Sendable {
    /// The learner.
    public let learner: any EnsembleLearner

    /// Wraps a learner for sending.
    public init(_ learner: any EnsembleLearner) {
        self.learner = learner
    }

    private enum CodingKeys: String, CodingKey {
        case name, learner
    }

    /// The kinds that can be received.
    private static let kinds: [any EnsembleLearner.Type] = [
        RandomForestClassifier.self, RandomForestRegressor.self,
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
