import Testing

@testable import DecisionForests

@Suite("Partial dependence")
struct PartialDependenceTests {
    @Test(
        "By recursion it is what the trees expect of a row of these values alone",
        arguments: ExplainedModels.all)
    func recursion(_ example: ExplainedModels.Example) throws {
        let model = try example.make()
        let rows = try example.rows(30)
        let oracle = ShapOracle(ensemble: model.ensemble)
        let grids: [[Float]] = [[-1, 0, 2, .nan], [0, 1.5, 37]]
        for features in [[1], [2, 1]] {
            let chosen = Array(grids.prefix(features.count))
            let found = try model.partialDependence(
                of: features, rows: rows, grids: chosen, method: .recursion, threads: 2)
            #expect(found.pointCount == (features.count == 1 ? 4 : 12))
            for point in 0..<found.pointCount {
                var row = [Float](repeating: 0, count: rows.featureCount)
                var known = 0
                for (feature, value) in zip(features, found.values(ofPoint: point)) {
                    row[feature] = value
                    known |= 1 << feature
                }
                for (output, expected) in oracle.value(row, known: known).enumerated() {
                    let mine = found.averages[output * found.pointCount + point]
                    #expect(abs(mine - expected) < 1e-12 * max(1, abs(expected)))
                }
            }
        }
    }

    @Test("Over rows it is the average of the answers, whose curves may be kept")
    func average() throws {
        let data = try SampleData.withMissing()
        let model = try GradientBoostingClassifier(ExplainedModels.boosted(8)).fit(data)
        let grids: [[Float]] = [[-1, 0, 2], [0.5, .nan]]
        let found = try model.partialDependence(
            of: [3, 0], rows: data.features, grids: grids, keepsCurves: true)
        #expect(found.outputCount == 2)
        var point = 0
        for first in grids[0] {
            for second in grids[1] {
                #expect(found.values(ofPoint: point).first == first)
                var columns = data.columns
                columns[3] = columns[3].map { _ in first }
                columns[0] = columns[0].map { _ in second }
                let answers = try model.predict(
                    FeatureMatrix(columns: columns, rowCount: data.rowCount))
                for output in 0..<2 {
                    let own = (0..<data.rowCount).map { answers.scores[$0 * 2 + output] }
                    let mean = own.reduce(0.0) { $0 + Double($1) } / Double(data.rowCount)
                    #expect(found.averages[output * 6 + point] == mean)
                    let curves = (0..<data.rowCount).map {
                        found.curves[($0 * 2 + output) * 6 + point]
                    }
                    #expect(curves == own)
                }
                point += 1
            }
        }
        for threads in [2, 3, 7] {
            #expect(
                try model.partialDependence(
                    of: [3, 0], rows: data.features, grids: grids, keepsCurves: true,
                    threads: threads
                ).averages == found.averages)
        }
        let raw = try model.partialDependence(
            of: [1], rows: data.features, grids: [[0]], scale: .raw)
        #expect(raw.outputCount == 1 && raw.curves.isEmpty)
    }

    @Test("A linear model's recursion lies on its line; an oblique model's has only averages")
    func kinds() throws {
        let data = try SampleData.regression()
        let line = try RidgeRegression().fit(data)
        let found = try line.partialDependence(
            of: [2], rows: data.features, grids: [[-1, 0, 1]], method: .recursion)
        let coefficient = try #require(line.ensemble.linear).coefficients[2]
        #expect(abs(found.averages[2] - found.averages[1] - coefficient) < 1e-12)
        #expect(abs(found.averages[1] - found.averages[0] - coefficient) < 1e-12)
        let classes = try SampleData.withMissing()
        let oblique = try ObliqueForestClassifier(trees: 2, seed: 1).fit(classes)
        #expect(throws: ExplanationError.weightedSum(tree: 0, node: 0)) {
            try oblique.partialDependence(of: [0], rows: classes.features, method: .recursion)
        }
        #expect(
            try oblique.partialDependence(of: [0], rows: classes.features).averages.count == 200)
    }

    @Test("Grids: all values where they are few or levels, else steps between percentiles")
    func grids() {
        #expect(PartialDependence.grid(of: [3, 1, .nan, 1, 2, .infinity]) == [1, 2, 3])
        #expect(PartialDependence.grid(of: [-0.0, 0, 1]) == [0, 1])
        #expect(PartialDependence.grid(of: [Float.nan]).isEmpty)
        let levels = (0..<300).map { Float($0 % 150) }
        #expect(PartialDependence.grid(of: levels, hasLevels: true).count == 150)
        let grid = PartialDependence.grid(of: (0...1_000).map { Float($0) })
        #expect(grid.count == 100)
        // n p + 0.4 + 0.2 p, less one: 1001 · 0.05 + 0.41 − 1 and its mirror image.
        #expect(abs(grid[0] - 49.46) < 1e-4 && abs(grid[99] - 950.54) < 1e-3)
        let spiked = (0..<2_000).map { Float($0 < 1_950 ? 7 : $0) }
        #expect(PartialDependence.grid(of: spiked, resolution: 3) == [7, 1_003, 1_999])
    }

    @Test("What cannot be asked is refused")
    func refusals() throws {
        let data = try SampleData.regression(rows: 60)
        let model = try RandomForestRegressor(trees: 2, seed: 1).fit(data)
        let rows = data.features
        let nobody = try FeatureMatrix(values: [], featureCount: data.featureCount)
        let many = (0..<1_025).map { Float($0) }
        let asked: [() throws -> PartialDependence] = [
            { try model.partialDependence(of: [], rows: rows) },
            { try model.partialDependence(of: [1, 1], rows: rows) },
            { try model.partialDependence(of: [0, 1, 2], rows: rows) },
            { try model.partialDependence(of: [6], rows: rows) },
            { try model.partialDependence(of: [-1], rows: rows) },
            { try model.partialDependence(of: [0], rows: rows, grids: [[]]) },
            { try model.partialDependence(of: [0], rows: rows, grids: [[1], [2]]) },
            { try model.partialDependence(of: [0, 1], rows: rows, grids: [many, many]) },
            { try model.partialDependence(of: [0], rows: nobody) },
            { try model.partialDependence(of: [0], rows: nobody, grids: [[1]]) },
            {
                try model.partialDependence(
                    of: [0], rows: FeatureMatrix(rows: [[1, 2]]), grids: [[1]])
            },
        ]
        for ask in asked {
            #expect(throws: ExplanationError.self) { try ask() }
        }
    }
}
