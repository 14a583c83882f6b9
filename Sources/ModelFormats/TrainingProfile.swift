import Foundation

/// How every feature was distributed in training: what drift is measured against.
package struct TrainingProfile: Sendable, Hashable, Codable {
    /// One feature's distribution over its values that were not missing.
    package struct Feature: Sendable, Hashable, Codable {
        /// The feature's name.
        package let name: String
        /// The share of rows without a value.
        package let missingShare: Double
        /// Smallest and largest value, mean and standard deviation; 0 without any value.
        package let minimum: Double
        /// The largest value.
        package let maximum: Double
        /// The arithmetic mean.
        package let mean: Double
        /// The population's standard deviation.
        package let standardDeviation: Double
        /// Rising upper edges of all bins but the last, at the deciles; equal edges are merged.
        package let edges: [Double]
        /// The share of values in each bin: one more than there are edges.
        package let shares: [Double]
    }

    /// The format; unknown versions are refused.
    package let version: Int
    /// Rows the figures come from.
    package let rowCount: Int
    /// In the model's order.
    package let features: [Feature]

    /// The version this build reads and writes.
    static let currentVersion = 1
    /// Deciles, as the population stability index uses them.
    static let binCount = 10

    /// Measures a training set given column by column; NaN is a missing value.
    package init(names: [String], rowCount: Int, column: (Int) -> [Float]) {
        version = Self.currentVersion
        self.rowCount = rowCount
        features = names.enumerated().map { index, name in
            Feature(name: name, values: column(index))
        }
    }

    /// Reads what `json` writes.
    init(json: [UInt8]) throws(ModelDirectoryError) {
        let profile: TrainingProfile
        do {
            profile = try JSONDecoder().decode(TrainingProfile.self, from: Data(json))
        } catch {
            throw Self.refusal("it is not the JSON that Manta writes")
        }
        guard profile.version == Self.currentVersion else {
            throw Self.refusal(
                "it has version \(profile.version); this build reads \(Self.currentVersion)")
        }
        if let feature = profile.features.first(where: { !$0.isSound }) {
            throw Self.refusal("the bins of '\(feature.name)' make no sense")
        }
        self = profile
    }

    static func refusal(_ cause: String) -> ModelDirectoryError {
        .fileSystem(path: ModelDirectory.profilePath, operation: "read", cause: cause)
    }

    /// As JSON, keys in declaration order.
    var json: String {
        let items = features.map { feature in
            JSONText.object([
                ("name", JSONText.string(feature.name)),
                ("missingShare", JSONText.number(feature.missingShare)),
                ("minimum", JSONText.number(feature.minimum)),
                ("maximum", JSONText.number(feature.maximum)),
                ("mean", JSONText.number(feature.mean)),
                ("standardDeviation", JSONText.number(feature.standardDeviation)),
                ("edges", JSONText.array(feature.edges.map(JSONText.number))),
                ("shares", JSONText.array(feature.shares.map(JSONText.number))),
            ])
        }
        return JSONText.object([
            ("version", String(version)), ("rowCount", String(rowCount)),
            ("features", JSONText.array(items)),
        ])
    }
}

extension TrainingProfile.Feature {
    fileprivate var isSound: Bool {
        shares.count == edges.count + 1 && shares.allSatisfy((0...1).contains)
            && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 }
            && (0...1).contains(missingShare)
    }

    /// Infinite values count in the bins but not in the moments.
    fileprivate init(name: String, values: [Float]) {
        let present = values.filter { !$0.isNaN }.sorted()
        let finite = present.filter(\.isFinite).map(Double.init)
        let count = Double(max(1, finite.count))
        let mean = finite.reduce(0, +) / count
        let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        self.name = name
        missingShare = Double(values.count - present.count) / Double(max(1, values.count))
        minimum = finite.first ?? 0
        maximum = finite.last ?? 0
        self.mean = mean
        standardDeviation = variance.squareRoot()
        edges = Self.decileEdges(of: present)
        shares = Self.shares(of: present, edges: edges)
    }

    private static func decileEdges(of sorted: [Float]) -> [Double] {
        guard !sorted.isEmpty else { return [] }
        var edges: [Double] = []
        for bin in 1..<TrainingProfile.binCount {
            let rank =
                (sorted.count * bin + TrainingProfile.binCount - 1) / TrainingProfile.binCount
            let edge = Double(sorted[max(0, rank - 1)])
            // An edge at the largest value would leave the last bin empty.
            if edge.isFinite, edge != edges.last, edge < Double(sorted[sorted.count - 1]) {
                edges.append(edge)
            }
        }
        return edges
    }

    private static func shares(of sorted: [Float], edges: [Double]) -> [Double] {
        var counts = [Int](repeating: 0, count: edges.count + 1)
        var bin = 0
        for value in sorted {
            while bin < edges.count, Double(value) > edges[bin] { bin += 1 }
            counts[bin] += 1
        }
        return counts.map { Double($0) / Double(max(1, sorted.count)) }
    }
}
