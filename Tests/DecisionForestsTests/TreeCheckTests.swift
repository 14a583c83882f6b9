import Testing

@testable import DecisionForests

@Suite("The check of all trees agrees with the rules told node by node")
struct TreeCheckTests {
    @Test("The depth of a sound tree is that of its deepest leaf", arguments: UInt64(0)..<40)
    func depth(seed: UInt64) throws {
        var draws = Draws(seed: seed)
        let trees = (0..<5).map { _ in Self.tree(leaves: 1 + draws.below(60), &draws) }
        let columns = try TreeColumns(trees, leafWidth: 1)
        let depths = try TreeCheck(columns, featureCount: Self.featureCount).depths()
        #expect(depths.map { Int($0) } == trees.map(Self.depth))
    }

    @Test("A changed tree is refused by both or by neither", arguments: UInt64(0)..<8)
    func changed(seed: UInt64) throws {
        var draws = Draws(seed: seed &+ 100)
        var refused = 0
        for _ in 0..<500 {
            var tree = Self.tree(leaves: 1 + draws.below(9), &draws)
            for _ in 0...draws.below(3) { Self.change(&tree, &draws) }
            let sound = Self.tree(leaves: 3, &draws)
            let columns = try TreeColumns([sound, tree, sound], leafWidth: 1)
            var expected: Int?
            do throws(EnsembleError) {
                try tree.validate(number: 1, featureCount: Self.featureCount, leafWidth: 1)
            } catch {
                expected = error.tree
            }
            var found: Int?
            do throws(TreeCheck.Fault) {
                _ = try TreeCheck(columns, featureCount: Self.featureCount).depths()
            } catch {
                found = error.tree
            }
            #expect(found == expected)
            refused += expected == nil ? 0 : 1
        }
        #expect((50..<450).contains(refused))
    }

    // MARK: Trees

    private static let featureCount = 4

    private static func depth(of tree: Tree) -> Int {
        var deepest = 0
        var open = [(node: 0, depth: 0)]
        while let (node, depth) = open.popLast() {
            deepest = max(deepest, depth)
            guard tree.splitFeature[node] != Tree.leaf else { continue }
            let child = Int(tree.leftChild[node])
            open += [(child, depth + 1), (child + 1, depth + 1)]
        }
        return deepest
    }

    private static func tree(leaves: Int, _ draws: inout Draws) -> Tree {
        var tree = RandomEnsemble.tree(
            .init(leaves: leaves, features: featureCount),
            Chance(seed: draws.bits()))
        tree.cover = [Float](repeating: 1, count: tree.nodeCount)
        return tree
    }

    /// Changes one number, to one at the edge of what may stand there or any other.
    private static func change(_ tree: inout Tree, _ draws: inout Draws) {
        let node = draws.below(tree.nodeCount)
        let edges = [
            0, 1, -1, -2, node, node + 1, tree.nodeCount - 2, tree.nodeCount - 1, featureCount,
            featureCount - 1, tree.leafValues.count - 1, tree.leafValues.count, Int(Int32.max),
            Int(Int32.min), Int(tree.leftChild[draws.below(tree.nodeCount)]),
        ]
        let number = Int32(truncatingIfNeeded: edges[draws.below(edges.count)])
        let floats: [Float] = [
            .nan, -.nan, .infinity, -.infinity, -0.0, 0, .greatestFiniteMagnitude, -0x1p-149,
            0x1p-149, -1, Float(nan: 1, signaling: true),
        ]
        let float = floats[draws.below(floats.count)]
        switch draws.below(7) {
        case 0, 1, 2: tree.leftChild[node] = number
        case 3: tree.splitFeature[node] = number
        case 4: tree.threshold[node] = float
        case 5: tree.cover[node] = float
        default: tree.leafValues[draws.below(tree.leafValues.count)] = float
        }
    }
}
