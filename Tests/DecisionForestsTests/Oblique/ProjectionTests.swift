import Testing

@testable import DecisionForests

@Suite("Projections: how many, of what, and rounded which way")
struct ProjectionTests {
    private func draw(
        _ featureCount: Int, _ parameters: ProjectionParameters
    ) -> [[(position: Int32, weight: Float)]] {
        let draw = ProjectionDraw(
            features: (0..<Int32(featureCount)).map { $0 },
            scales: Array(repeating: 2, count: featureCount), parameters: parameters)
        var taken = [Bool](repeating: false, count: featureCount)
        var all: [[(position: Int32, weight: Float)]] = []
        for number in 0..<4_000 {
            var terms: [(position: Int32, weight: Float)] = []
            draw.draw(number, of: Chance(seed: 7), taken: &taken, into: &terms)
            all.append(terms)
        }
        #expect(!taken.contains(true))
        return all
    }

    @Test("A node tries a power of the number of features")
    func counts() throws {
        #expect(try ProjectionParameters(exponent: 1).count(of: 28) == 28)
        #expect(try ProjectionParameters(exponent: 2).count(of: 28) == 784)
        #expect(try ProjectionParameters(exponent: 0.5).count(of: 10) == 4)
        #expect(try ProjectionParameters(exponent: 0).count(of: 10) == 1)
        #expect(try ProjectionParameters(exponent: 2).count(of: 100) == 6_000)
        #expect(try ProjectionParameters().count(of: 0) == 1)
    }

    @Test("Features are drawn as often as the density says, each at most once")
    func density() throws {
        for (featureCount, factor) in [(10, 2.0), (28, 3), (1_000, 2), (5, 1)] {
            let all = draw(featureCount, try ProjectionParameters(densityFactor: factor))
            let sizes = all.map(\.count)
            let share = factor / Double(featureCount)
            var empty = 1.0
            for _ in 0..<featureCount { empty *= 1 - share }
            let mean = Double(sizes.reduce(0, +)) / Double(all.count)
            #expect(abs(mean - (factor + empty)) < 0.1)
            #expect(sizes.min() == 1)
            for terms in all {
                #expect(zip(terms, terms.dropFirst()).allSatisfy { $0.position < $1.position })
                #expect(terms.allSatisfy { abs($0.weight) == 2 })
            }
            let negative = all.joined().count { $0.weight < 0 }
            #expect(abs(Double(negative) / Double(all.joined().count) - 0.5) < 0.03)
        }
    }

    @Test("All features at a density of one, about the mean where there are thousands")
    func dense() throws {
        let all = draw(6, try ProjectionParameters(densityFactor: 6))
        #expect(all.allSatisfy { $0.count == 6 })
        let many = draw(3_000, try ProjectionParameters(densityFactor: 1_000)).prefix(20)
        #expect(many.allSatisfy { $0.count == 1_000 })
        let continuous = draw(
            6, try ProjectionParameters(densityFactor: 6, weights: .continuous)
        ).joined().map(\.weight)
        #expect(continuous.allSatisfy { abs($0) <= 2 && $0 != 0 })
        #expect(Set(continuous).count > 20_000)
    }

    @Test("A sum is rounded up, so that it compares as it did", arguments: KernelChoice.available)
    func roundedUp(choice: KernelChoice) {
        let kernels = ObliqueKernels.of(choice)
        let chance = Chance(seed: 1)
        let (stride, count) = (64, 37)
        var block = (0..<3 * stride).map { Float(chance.normal(UInt64($0))) }
        block[0] = .greatestFiniteMagnitude
        block[stride] = .greatestFiniteMagnitude
        (block[1], block[stride + 1]) = (-Float.greatestFiniteMagnitude, -1e38)
        (block[2], block[stride + 2], block[2 * stride + 2]) = (0, 0, 0x1p-149)
        (block[3], block[stride + 3], block[2 * stride + 3]) = (0, 0, -0x1p-149)
        let weights: [Float] = [0.7, 1.9, -0.3]
        var sums = [Double](repeating: 0, count: count)
        for termCount in 1...3 {
            var projected = [Float](repeating: 0, count: count)
            kernels.project(
                block, stride, [0, 1, 2], weights, termCount, count, &sums, &projected)
            for row in 0..<count {
                var exact = 0.0
                for term in 0..<termCount {
                    exact += Double(weights[term]) * Double(block[term * stride + row])
                }
                #expect(Double(projected[row]) >= exact)
                #expect(Double(projected[row].nextDown) < exact)
            }
        }
    }

    @Test("A greater value's bin is never lower", arguments: KernelChoice.available)
    func bins(choice: KernelChoice) {
        let kernels = ObliqueKernels.of(choice)
        let chance = Chance(seed: 3)
        var values = (0..<1_000).map { Float(chance.normal(UInt64($0))) * 3 }
        values += [.infinity, -Float.greatestFiniteMagnitude, .greatestFiniteMagnitude]
        let range = kernels.range(values, values.count)
        #expect(range.least == -Float.greatestFiniteMagnitude && range.greatest == .infinity)
        var bins = [UInt8](repeating: 7, count: values.count)
        kernels.bin(values, values.count, -2, 100, 1, 254, &bins)
        let order = values.indices.sorted { values[$0] < values[$1] }
        #expect(zip(order, order.dropFirst()).allSatisfy { bins[$0] <= bins[$1] })
        #expect(bins.min() == 0 && bins.max() == 254)
    }
}
