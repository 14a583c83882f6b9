/// How an oblique tree's nodes draw their projections. A value that exists is valid.
///
/// The parameters are those of Yggdrasil Decision Forests' sparse oblique splits, which follow
/// Tomita et al., "Sparse projection oblique randomer forests", JMLR 21 (2020).
public struct ProjectionParameters: Sendable, Hashable {
    /// The weights of a projection's features, before normalisation.
    public enum Weights: String, Sendable, Hashable, Codable, CaseIterable {
        /// −1 or 1.
        case binary = "BINARY"
        /// Uniform between −1 and 1.
        case continuous = "CONTINUOUS"
    }

    /// What a feature's weight is divided by, so that features of all units count alike.
    public enum Normalization: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nothing.
        case none = "NONE"
        /// The feature's standard deviation.
        case standardDeviation = "STANDARD_DEVIATION"
        /// The distance from its least to its greatest value.
        case minMax = "MIN_MAX"
    }

    /// Features of a projection on average: each is taken with the chance `densityFactor` over the
    /// number of features, at least one.
    public let densityFactor: Double
    /// A node tries so many projections: the number of features to this power, rounded up.
    public let exponent: Double
    /// Projections that a node tries at most.
    public let countMax: Int
    /// How weights are drawn.
    public let weights: Weights
    /// How features of different units are made alike.
    public let normalization: Normalization

    /// Parameters of these values, or an error naming the first one out of range.
    ///
    /// - Parameters:
    ///   - densityFactor: 0.01...1,000,000.
    ///   - exponent: 0...3.
    ///   - countMax: 1...100,000.
    ///   - weights: How weights are drawn.
    ///   - normalization: How features of different units are made alike.
    public init(
        densityFactor: Double = 2, exponent: Double = 1, countMax: Int = 6_000,
        weights: Weights = .binary, normalization: Normalization = .standardDeviation
    ) throws(ParameterError) {
        try ParameterError.check("projections.densityFactor", densityFactor, isIn: 0.01...1e6)
        try ParameterError.check("projections.exponent", exponent, isIn: 0...3)
        try ParameterError.check("projections.countMax", countMax, isIn: 1...100_000)
        self.densityFactor = densityFactor
        self.exponent = exponent
        self.countMax = countMax
        self.weights = weights
        self.normalization = normalization
    }

    /// Projections that a node tries where there are so many features.
    func count(of featureCount: Int) -> Int {
        let power = PortableMath.exp(exponent * PortableMath.log(Double(max(1, featureCount))))
        // A whole power may come out a little above itself.
        return Int(min(Double(countMax), (power * (1 - 1e-12)).rounded(.up)))
    }

    /// As MLflow shows them, with Yggdrasil's names.
    var list: [TrainedModel.Parameter] {
        [
            .init("split_axis", "SPARSE_OBLIQUE"),
            .init("sparse_oblique_projection_density_factor", "\(densityFactor)"),
            .init("sparse_oblique_num_projections_exponent", "\(exponent)"),
            .init("sparse_oblique_max_num_projections", "\(countMax)"),
            .init("sparse_oblique_weights", weights.rawValue),
            .init("sparse_oblique_normalization", normalization.rawValue),
        ]
    }
}

/// Decoding checks like `init`.
extension ProjectionParameters: Codable {
    private enum CodingKeys: String, CodingKey {
        case densityFactor, exponent, countMax, weights, normalization
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            densityFactor: fields.decode(Double.self, forKey: .densityFactor),
            exponent: fields.decode(Double.self, forKey: .exponent),
            countMax: fields.decode(Int.self, forKey: .countMax),
            weights: fields.decode(Weights.self, forKey: .weights),
            normalization: fields.decode(Normalization.self, forKey: .normalization))
    }
}
