package import DecisionForests

import Foundation

/// How every feature and the target were distributed in training: what drift is measured against.
package struct TrainingProfile: Sendable, Hashable, Codable {
    /// One column's distribution over its values that were not missing: of numbers, or of names.
    package struct Column: Sendable, Hashable, Codable {
        /// The column's name.
        package let name: String
        /// "numeric", "boolean" or "categorical"; classes to be answered are categorical.
        package let kind: String
        /// The share of rows without a value.
        package let missingShare: Double
        /// For numeric columns.
        package let numbers: Numbers?
        /// For the others; booleans have the levels "false" and "true".
        package let levels: Levels?
    }

    /// How numbers were distributed. All figures but the shares are 0 without any finite value.
    package struct Numbers: Sendable, Hashable, Codable {
        /// The smallest finite value.
        package let minimum: Double
        /// The largest finite value.
        package let maximum: Double
        /// The arithmetic mean of finite values.
        package let mean: Double
        /// Their population's standard deviation.
        package let standardDeviation: Double
        /// Rising upper edges of all bins but the last, at the deciles; equal edges are merged.
        package let edges: [Double]
        /// The share of values in each bin: one more than there are edges.
        package let shares: [Double]
    }

    /// How names were distributed.
    package struct Levels: Sendable, Hashable, Codable {
        /// Different names.
        package let count: Int
        /// The most frequent ones, the most frequent first, at most `listedMax`.
        package let names: [String]
        /// Their shares of the values.
        package let shares: [Double]
        /// The share of all other names together.
        package let otherShare: Double
        /// Names that are listed: enough for a drift's cause, and a kilobyte or two.
        package static let listedMax = 50
    }

    /// The format; unknown versions are refused.
    package let version: Int
    /// Rows the figures come from.
    package let rowCount: Int
    /// What was to be answered.
    package let target: Column
    /// In the model's order.
    package let features: [Column]

    /// The version this build reads and writes.
    static let currentVersion = 2

    /// Measures a training set; rows count once whatever their weights.
    package init(of dataset: Dataset) {
        version = Self.currentVersion
        rowCount = dataset.rowCount
        features = dataset.featureNames.indices.map { feature in
            Column(
                name: dataset.featureNames[feature], kind: dataset.featureKinds[feature],
                values: dataset.columns[feature])
        }
        target = Column(target: dataset.target, name: dataset.targetName)
    }

    /// Reads what `json` writes.
    init(json: [UInt8]) throws(ModelDirectoryError) {
        // The version first: another one may have other fields.
        guard let mark = try? JSONDecoder().decode(VersionMark.self, from: Data(json)) else {
            throw Self.refusal("it is not the JSON that Manta writes")
        }
        guard mark.version == Self.currentVersion else {
            throw Self.refusal(
                "it has version \(mark.version); this build reads \(Self.currentVersion)")
        }
        guard let profile = try? JSONDecoder().decode(TrainingProfile.self, from: Data(json))
        else {
            throw Self.refusal("it is not the JSON that Manta writes")
        }
        if let column = (profile.features + [profile.target]).first(where: { !$0.isSound }) {
            throw Self.refusal("the bins of '\(column.name)' make no sense")
        }
        self = profile
    }

    private struct VersionMark: Decodable {
        let version: Int
    }

    static func refusal(_ cause: String) -> ModelDirectoryError {
        .fileSystem(path: ModelDirectory.profilePath, operation: "read", cause: cause)
    }

    /// As JSON, keys in declaration order.
    var json: String {
        JSONText.object([
            ("version", String(version)), ("rowCount", String(rowCount)),
            ("target", target.json), ("features", JSONText.array(features.map(\.json))),
        ])
    }
}

extension TrainingProfile.Column {
    fileprivate var isSound: Bool {
        guard (0...1).contains(missingShare) else { return false }
        switch kind {
        case FeatureKind.numeric.name: return levels == nil && numbers?.isSound == true
        case FeatureKind.boolean.name, FeatureKind.categorical(levels: []).name:
            return numbers == nil && levels?.isSound == true
        default: return false
        }
    }

    fileprivate var json: String {
        var fields = [
            ("name", JSONText.string(name)), ("kind", JSONText.string(kind)),
            ("missingShare", JSONText.number(missingShare)),
        ]
        if let numbers { fields.append(("numbers", numbers.json)) }
        if let levels { fields.append(("levels", levels.json)) }
        return JSONText.object(fields.map { (key: $0.0, value: $0.1) })
    }
}

extension TrainingProfile.Numbers {
    fileprivate var isSound: Bool {
        shares.count == edges.count + 1 && shares.allSatisfy((0...1).contains)
            && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 }
    }

    fileprivate var json: String {
        JSONText.object([
            ("minimum", JSONText.number(minimum)), ("maximum", JSONText.number(maximum)),
            ("mean", JSONText.number(mean)),
            ("standardDeviation", JSONText.number(standardDeviation)),
            ("edges", JSONText.array(edges.map(JSONText.number))),
            ("shares", JSONText.array(shares.map(JSONText.number))),
        ])
    }
}

extension TrainingProfile.Levels {
    fileprivate var isSound: Bool {
        names.count == shares.count && names.count <= min(Self.listedMax, count)
            && Set(names).count == names.count && shares.allSatisfy((0...1).contains)
            && (0...1).contains(otherShare)
    }

    fileprivate var json: String {
        JSONText.object([
            ("count", String(count)), ("names", JSONText.array(names.map(JSONText.string))),
            ("shares", JSONText.array(shares.map(JSONText.number))),
            ("otherShare", JSONText.number(otherShare)),
        ])
    }
}
