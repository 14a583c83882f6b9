import Testing

@testable import DecisionForests

/// Models of every kind that can be explained, small enough for the oracle.
enum ExplainedModels {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let make: @Sendable () throws -> TrainedModel
        /// Rows to explain besides those of the data.
        var odd: [[Float]] = []
        let data: @Sendable () throws -> Dataset

        var testDescription: String { name }

        /// Rows of the data and odd ones.
        func rows(_ count: Int) throws -> FeatureMatrix {
            let data = try data()
            let width = data.featureCount
            var values = Array(data.features.values.prefix(count * width))
            for row in odd { values += row }
            for value in [Float.nan, .infinity, -.infinity, 1e30, -1, 0.5, 1_000_000] {
                values += [Float](repeating: value, count: width)
            }
            return try FeatureMatrix(values: values, featureCount: width)
        }
    }

    static func boosted(_ rounds: Int, leaves: Int = 8) throws -> BoosterParameters {
        try BoosterParameters(named: [
            "rounds": "\(rounds)", "num_leaves": "\(leaves)", "min_data_in_leaf": "2",
        ])
    }

    static let all: [Example] = [
        Example(
            name: "forest of shares",
            make: { try RandomForestClassifier(trees: 3, maxDepth: 6, seed: 4).fit(missing()) },
            data: missing),
        Example(
            name: "extra trees of numbers",
            make: { try ExtraTreesRegressor(trees: 3, maxDepth: 7, seed: 4).fit(numbers()) },
            data: numbers),
        Example(
            name: "boosted numbers",
            make: { try GradientBoostingRegressor(boosted(6)).fit(numbers()) }, data: numbers),
        Example(
            name: "boosted classes",
            make: { try GradientBoostingClassifier(boosted(6)).fit(missing()) }, data: missing),
        Example(
            name: "a tree per class",
            make: { try GradientBoostingClassifier(boosted(3)).fit(threeClasses()) },
            data: threeClasses),
        Example(
            name: "a forest of three classes",
            make: { try RandomForestClassifier(trees: 3, maxDepth: 5).fit(threeClasses()) },
            data: threeClasses),
        Example(
            name: "categories",
            make: { try GradientBoostingClassifier(boosted(5)).fit(categories()) },
            data: categories),
        Example(
            name: "a forest of categories",
            make: { try RandomForestClassifier(trees: 3, maxDepth: 6).fit(categories()) },
            data: categories),
    ]

    @Sendable static func missing() throws -> Dataset { try SampleData.withMissing(rows: 200) }

    @Sendable static func numbers() throws -> Dataset { try SampleData.regression(rows: 200) }

    @Sendable static func threeClasses() throws -> Dataset {
        try makeClassification(
            samples: 200, features: 5, informative: 4, redundant: 0, classes: 3,
            clustersPerClass: 1, seed: 9)
    }

    /// Two columns of levels, one of them with missing cells, beside two of numbers.
    @Sendable static func categories() throws -> Dataset {
        var draws = Draws(seed: 5)
        var columns = [[Float]](repeating: [], count: 4)
        var classes: [Int32] = []
        for row in 0..<240 {
            let (small, large) = (draws.below(4), draws.below(40))
            let (x, y) = (Float(draws.below(1_000)) / 500 - 1, Float(draws.below(9)))
            columns[0].append(Float(small))
            columns[1].append(row % 9 == 0 ? .nan : Float(large))
            columns[2].append(x)
            columns[3].append(y)
            let score = [0, 1, -1, 2][small] + (large % 3 == 0 ? 1 : -1) + Int(2 * x)
            classes.append(score + draws.below(3) > 1 ? 1 : 0)
        }
        return try Dataset(
            columns: columns, featureNames: ["small", "large", "x", "y"],
            featureKinds: [
                .categorical(levels: (0..<4).map { "s\($0)" }),
                .categorical(levels: (0..<40).map { "l\($0)" }), .numeric, .numeric,
            ],
            target: .classes(labels: [.integer(0), .integer(1)], indices: classes),
            targetName: "y")
    }
}
