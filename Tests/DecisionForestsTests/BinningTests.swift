import DecisionForests
import Testing

@Suite("Bins and thresholds send a value the same way")
struct BinningTests {
    private func edges(_ column: [Float]) throws -> [Float] {
        let data = try SampleData.columns([column], classes: column.map { _ in 0 })
        return FeatureBinner(data, seed: 1, threads: 1).edges[0]
    }

    @Test("Few values get a bin each, halfway apart")
    func exact() throws {
        #expect(try edges([3, 1, 2, 1, .nan, -0.0, 0.0]) == [0.5, 1.5, 2.5])
        #expect(try edges([.nan, .nan]).isEmpty)
        #expect(try edges([5]).isEmpty)
    }

    @Test("Many values get 255 bins of about equal size")
    func quantiles() throws {
        let edges = try edges((0..<10_000).map { Float($0 * 7919 % 10_000) })
        #expect(edges.count == 254)
        let widths = zip(edges, edges.dropFirst()).map { $1 - $0 }
        #expect(widths.allSatisfy { $0 >= 38 && $0 <= 41 })
    }

    @Test("A frequent value takes one bin and leaves the others their share")
    func frequent() throws {
        let column = (0..<10_000).map { $0 % 2 == 0 ? Float(-1) : Float($0) }
        #expect(try edges(column).count > 120)
        #expect(try edges(column).first.map { $0 > -1 && $0 < 1 } == true)
    }

    @Test("Edges of a large data set come from a sample")
    func sampled() throws {
        let column = (0..<260_000).map { Float($0) }
        let edges = try edges(column)
        #expect(edges.count == 254)
        for (index, edge) in edges.enumerated() {
            #expect(abs(edge - Float(index + 1) * 260_000 / 255) < 1_500)
        }
    }

    @Test("Extreme values are binned and parted")
    func extremes() throws {
        let greatest = Float.greatestFiniteMagnitude
        let column: [Float] = [-greatest, greatest, .leastNonzeroMagnitude, 0]
        #expect(try edges(column) == [-greatest / 2, 0, greatest / 2])
    }

    @Test("A tree routes each training row as the growth did")
    func routing() throws {
        // Distinct targets: every leaf holds one row, so a row in a wrong leaf shows.
        let values = (0..<2_000).map { Float(sinF($0)) }
        let data = try Dataset(
            features: FeatureMatrix(rows: values.map { [$0, $0 * $0] }),
            values: (0..<2_000).map { Float($0 % 97) })
        let binned = BinnedDataset(data, seed: 1, threads: 1)
        let learner = try RandomForestRegressor(trees: 1, maxDepth: 9, bootstrap: false)
        let trees = try learner.grow(trees: 0..<1, on: binned, threads: 1)
        let model = try learner.model(
            from: learner.grow(trees: 0..<1, on: binned, threads: 1), trainedOn: data)
        // The mean over the training rows is kept by every partition into leaf means.
        let predicted = try model.predict(data).scores.reduce(0.0) { $0 + Double($1) }
        let truth = (0..<2_000).reduce(0.0) { $0 + Double($1 % 97) }
        #expect(abs(predicted - truth) < 0.05)
        #expect(trees[0].nodeCount > 100)
    }

    /// Irregular values between −1 and 1, with repetitions.
    private func sinF(_ index: Int) -> Double {
        Double((index * index * 31 + index * 17) % 1_009) / 504.5 - 1
    }
}
