import Synchronization
import Testing

@testable import DecisionForests

@Suite("What threads share while a model is made ready to answer")
struct ReadyingTests {
    private final class Calls: Sendable {
        let count = Mutex(0)
    }

    @Test("Runs hold all things in order, single ones or as many as are asked for")
    func runs() {
        for seed in UInt64(0)..<50 {
            var draws = Draws(seed: seed)
            var starts: [UInt64] = [0]
            for _ in 0..<draws.below(40) {
                starts.append(starts[starts.count - 1] + UInt64(draws.below(30)))
            }
            let found = starts.withUnsafeBufferPointer { HelperPool.runs(of: $0, size: 50) }
            #expect(found.flatMap { Array($0) } == Array(0..<starts.count - 1))
            for (run, next) in zip(found, found.dropFirst().map { Int?($0.lowerBound) } + [nil]) {
                #expect(run.count == 1 || starts[run.upperBound] - starts[run.lowerBound] <= 50)
                if let next { #expect(starts[next + 1] - starts[run.lowerBound] > 50) }
            }
        }
    }

    /// Numbers that lie evenly, around two far places, at few places, and anywhere.
    private static func number(_ kind: Int, _ draws: inout Draws) -> Float {
        let bits = draws.bits()
        let unit = Float(bits >> 40) / Float(1 << 24)
        switch kind {
        case 0: return unit * 6 - 3
        case 1: return bits % 2 == 0 ? unit : 1e9 + unit * 1e3
        case 2: return Float(bits % 40) - 20
        case 3: return [-Float.infinity, .infinity, 0, 0x1p-149, -0x1p-149][Int(bits % 5)]
        case 4: return bits % 9 == 0 ? 3e38 : -3e38 * unit
        default: return Float(bitPattern: UInt32(truncatingIfNeeded: bits) & 0xFF7F_FFFF)
        }
    }

    @Test("Keys are sorted and equal ones keep their order", arguments: 0..<6)
    func keys(kind: Int) {
        for count in [0, 1, 2, 24, 25, 300, 1_023, 1_024, 5_000] {
            var draws = Draws(seed: UInt64(count))
            var items = (0..<count).map {
                UInt64(FloatSorting.key(of: Self.number(kind, &draws))) << 32 | UInt64($0)
            }
            let expected = items.sorted()
            var spare = items
            let keyCount: Int = items.withUnsafeMutableBufferPointer { items in
                spare.withUnsafeMutableBufferPointer { spare in
                    guard let items = items.baseAddress, let spare = spare.baseAddress else {
                        return 0
                    }
                    KeySorting.sort(items, spare: spare, count: count)
                    return KeySorting.keyCount(items, count: count)
                }
            }
            #expect(items == expected)
            #expect(keyCount == Set(items.map { $0 >> 32 }).count)
        }
    }

    @Test("A number comes back from its key")
    func keyOfNumber() {
        for value: Float in [0, 1, -1, .infinity, -.infinity, 0x1p-149, -0x1p-149, 3e38, -3e38] {
            #expect(FloatSorting.value(of: FloatSorting.key(of: value)) == value)
        }
    }

    @Test(
        "Cuts are each column's different thresholds, and nodes know theirs",
        arguments: [
            RandomEnsemble.Shape(leaves: 300, trees: 40),
            .init(leaves: 31, features: 60, trees: 300),
            .init(leaves: 2, trees: 3), .init(leaves: 1), .init(leaves: 200, trees: 60, cuts: 9),
            .init(leaves: 3_000, features: 2, isUnbounded: true),
        ])
    func cuts(shape: RandomEnsemble.Shape) throws {
        let ensemble = RandomEnsemble.ensemble(shape)
        let columns = try ensemble.validatedColumns()
        let made = ScoringInputs.make(of: ensemble, columns, countMax: 1 << 16)
        guard let (inputs, tests) = made else {
            Issue.record("too many inputs")
            return
        }
        columns.withView { trees in
            tests.withView(trees) { tests in
                let inner = InnerNodes(tests, inputs)
                let nodes = (0..<columns.nodeCount).filter { trees.feature[$0] != Tree.leaf }
                #expect(inner.nodes.map { Int($0) } == nodes)
                #expect(inner.inputs.map { Int32($0) } == nodes.map { tests.input(of: $0) })
                #expect(
                    inner.columns.map { Int($0) } == inner.inputs.map { inputs.columnOf[Int($0)] })
                let cuts = Cuts(inner, tests, columnCount: inputs.columns.count)
                var expected = inputs.columns.map { _ in Set<Float>() }
                for (number, node) in nodes.enumerated() {
                    expected[Int(inner.columns[number])].insert(tests.threshold(of: node))
                    #expect(cuts.values[Int(cuts.places[number])] == tests.threshold(of: node))
                }
                #expect(cuts.values == expected.flatMap { $0.sorted() })
                for (column, own) in expected.enumerated() {
                    #expect(cuts.starts[column + 1] - cuts.starts[column] == own.count)
                }
                let order = cuts.numbersByColumn(inner)
                for tree in 0..<trees.treeCount {
                    let own = order[inner.starts[tree]..<inner.starts[tree + 1]]
                    #expect(
                        own.sorted()
                            == (inner.starts[tree]..<inner.starts[tree + 1]).map { Int32($0) })
                    let ordered = own.map { inner.columns[Int($0)] }
                    #expect(ordered == ordered.sorted())
                }
            }
        }
    }

    @Test("The first of several unsound trees is named, wherever threads find others")
    func firstFault() throws {
        var draws = Draws(seed: 1)
        let sound = (0..<400).map { _ in
            RandomEnsemble.tree(.init(leaves: 40), Chance(seed: draws.bits()))
        }
        let check = try TreeCheck(TreeColumns(sound, leafWidth: 1), featureCount: 7)
        #expect(try check.depths().map { Int($0) } == sound.map(\.shape.depth))
        for _ in 0..<20 {
            var trees = sound
            let changed = (0..<4).map { _ in draws.below(trees.count) }
            for tree in changed { trees[tree].leftChild[0] = 0 }
            let check = try TreeCheck(TreeColumns(trees, leafWidth: 1), featureCount: 7)
            #expect(throws: TreeCheck.Fault.self) { try check.depths() }
            do throws(TreeCheck.Fault) {
                _ = try check.depths()
            } catch {
                #expect(error.tree == changed.min())
            }
        }
    }

    @Test("Work beside the check runs once, whether trees are sound or not")
    func workBeside() throws {
        for child in [Int32(1), 0] {
            var tree = RandomEnsemble.tree(.init(leaves: 9), Chance(seed: 3))
            tree.leftChild[0] = child
            let check = try TreeCheck(TreeColumns([tree, tree], leafWidth: 1), featureCount: 7)
            let calls = Calls()
            _ = try? check.depths(beside: { calls.count.withLock { $0 += 1 } })
            #expect(calls.count.withLock { $0 } == 1)
        }
    }

    @Test("A bench of batches that no memory holds is refused")
    func hugeBatch() throws {
        let predictor = try Predictor(RandomEnsemble.ensemble(.init(leaves: 4)))
        let rows = try FeatureMatrix(rows: RandomEnsemble.rows(3, .init(leaves: 4)))
        let bench = PredictionBench(
            batches: [1, PredictionBench.valueCountMax / 7 + 1], threads: [1])
        #expect(throws: DatasetError.self) { try bench.run(predictor, rows: rows) }
    }
}
