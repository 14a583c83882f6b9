import Foundation
import Testing

@testable import DecisionForests

/// Our models beside Python's packages, which are given the very same trees.
@Suite("Explanations are those of shap and scikit-learn")
struct ExplanationPeerTests {
    private struct Case: Encodable {
        struct Nodes: Encodable {
            var left: [Int] = []
            var right: [Int] = []
            var missing: [Int] = []
            var features: [Int] = []
            var thresholds: [Float] = []
            var values: [[Float]] = []
            var cover: [Float] = []
        }

        let trees: [Nodes]
        let base: [Float]
        let rows: [[Float?]]
        let averaged: Bool
        let features: [Int]
        let grids: [[Float]]
    }

    private struct Answer: Decodable {
        struct Dependence: Decodable {
            let average: [Double]
            let curves: [[Double]]
        }

        let contributions: [[[Double]]]
        let expected: [Double]
        let dependence: [Dependence]
        let grid: [Double]
    }

    /// A tree as shap's arrays; those of one value per leaf fill the column of their output.
    private func nodes(_ tree: Tree, number: Int, of ensemble: TreeEnsemble) -> Case.Nodes {
        var nodes = Case.Nodes()
        let none = [Float](repeating: 0, count: ensemble.outputCount)
        for node in 0..<tree.nodeCount {
            let child = Int(tree.leftChild[node])
            let isLeaf = tree.splitFeature[node] == Tree.leaf
            nodes.left.append(isLeaf ? -1 : child)
            nodes.right.append(isLeaf ? -1 : child + 1)
            nodes.missing.append(isLeaf ? -1 : child + (tree.missingGoesLeft[node] ? 0 : 1))
            nodes.features.append(Int(tree.splitFeature[node]))
            nodes.thresholds.append(tree.threshold[node])
            nodes.cover.append(tree.cover[node])
            var values = none
            if isLeaf, ensemble.leafWidth == 1 {
                values[number % ensemble.outputCount] = tree.leafValues[child]
            } else if isLeaf {
                let width = ensemble.leafWidth
                values = Array(tree.leafValues[child * width..<(child + 1) * width])
            }
            nodes.values.append(values)
        }
        return nodes
    }

    private func given(
        _ model: TrainedModel, _ rows: FeatureMatrix, features: [Int], grids: [[Float]]
    ) -> Case {
        Case(
            trees: model.ensemble.trees.enumerated().map {
                nodes($0.element, number: $0.offset, of: model.ensemble)
            },
            base: model.ensemble.baseScores,
            rows: (0..<rows.rowCount).map { row in
                (0..<rows.featureCount).map { rows[row, $0].isNaN ? nil : rows[row, $0] }
            },
            averaged: model.ensemble.aggregation == .average, features: features, grids: grids)
    }

    private func models() throws -> [(TrainedModel, FeatureMatrix)] {
        let data = try makeClassification(
            samples: 600, features: 12, informative: 8, classes: 3, clustersPerClass: 1, seed: 3)
        let rows = data.subset(rows: Array(0..<120)).features
        let missing = try SampleData.withMissing()
        let numbers = try SampleData.regression()
        return [
            (
                try GradientBoostingClassifier(ExplainedModels.boosted(30, leaves: 31)).fit(
                    missing),
                missing.features
            ),
            (
                try GradientBoostingRegressor(ExplainedModels.boosted(50, leaves: 16)).fit(numbers),
                numbers.features
            ),
            (
                try GradientBoostingClassifier(ExplainedModels.boosted(8, leaves: 12)).fit(data),
                rows
            ),
            (try RandomForestClassifier(trees: 10, seed: 2).fit(data), rows),
            (try RandomForestRegressor(trees: 8, seed: 2).fit(numbers), numbers.features),
        ]
    }

    @Test("Contributions to 1e-9, partial dependence to 1e-6, on the same trees")
    func peers() async throws {
        let models = try models()
        let cases = models.enumerated().map { number, model in
            given(
                model.0, model.1, features: number % 2 == 0 ? [2] : [0, 3],
                grids: number % 2 == 0
                    ? [[-1.5, -0.25, 0, 0.5, 2]] : [[-1, 0, 0.75], [-2, 0.125]])
        }
        let folder = try ScratchFolder()
        let json = try JSONEncoder().encode(cases)
        let input = try folder.write(String(decoding: json, as: UTF8.self), to: "in")
        let output = folder.file("out")
        let answers: [Answer] = try await LearningPython.run(
            "explanations.py", [input, output], output: output, in: folder)
        #expect(answers.count == models.count)
        for (number, (model, answer)) in zip(models, answers).enumerated() {
            try compare(model.0, model.1, cases[number], answer)
        }
    }

    private func compare(
        _ model: TrainedModel, _ rows: FeatureMatrix, _ given: Case, _ answer: Answer
    ) throws {
        let found = try model.explainer().contributions(of: rows, threads: 2)
        for (mine, theirs) in zip(found.expectedValues, answer.expected) {
            #expect(abs(mine - theirs) < 1e-9)
        }
        let theirs = answer.contributions.flatMap { $0.flatMap { $0 } }
        #expect(theirs.count == found.values.count)
        #expect(zip(found.values, theirs).allSatisfy { abs($0 - $1) < 1e-9 })
        #expect(theirs.contains { abs($0) > 0.01 })
        let dependence = try model.partialDependence(
            of: given.features, rows: rows, grids: given.grids, scale: .raw, keepsCurves: true)
        let averages = answer.dependence.flatMap(\.average)
        #expect(averages.count == dependence.averages.count)
        for (mine, theirs) in zip(dependence.averages, averages) {
            #expect(abs(mine - theirs) < 1e-6 * max(1, abs(theirs)))
        }
        for (output, other) in answer.dependence.enumerated() {
            for (row, curve) in other.curves.enumerated() {
                let start = (row * dependence.outputCount + output) * dependence.pointCount
                let mine = dependence.curves[start..<start + dependence.pointCount]
                for (one, two) in zip(mine, curve) {
                    #expect(abs(Double(one) - two) < 1e-6 * max(1, abs(two)))
                }
            }
        }
        let feature = given.features[0]
        let grid = PartialDependence.grid(
            of: (0..<rows.rowCount).map { rows[$0, feature] })
        let known = answer.grid.filter { !$0.isNaN }
        #expect(grid.count == known.count)
        for (mine, theirs) in zip(grid, known) {
            #expect(abs(Double(mine) - theirs) < 1e-6 * max(1, abs(theirs)))
        }
    }
}
