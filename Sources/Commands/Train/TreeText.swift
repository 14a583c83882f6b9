import DecisionForests
import Foundation

/// One tree as indented text: each test, where missing values go, each leaf's values.
struct TreeText {
    /// Lines that are printed; a deep tree has more nodes than anyone reads.
    static let linesMax = 2_000
    /// Categories that a test names.
    static let levelsMax = 8

    let model: TrainedModel
    let tree: Tree

    /// Depth first, the left side above the right one.
    func render() -> String {
        var lines: [String] = []
        var open: [(node: Int, depth: Int, mark: String)] = [(0, 0, "")]
        while let (node, depth, mark) = open.popLast() {
            guard lines.count < Self.linesMax else {
                lines.append("… \(tree.nodeCount) nodes in all")
                break
            }
            let indent = String(repeating: "  ", count: depth)
            guard tree.splitFeature[node] != Tree.leaf else {
                lines.append(indent + mark + leaf(node))
                continue
            }
            lines.append(indent + mark + test(node))
            let child = Int(tree.leftChild[node])
            open.append((child + 1, depth + 1, "no: "))
            open.append((child, depth + 1, "yes: "))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func test(_ node: Int) -> String {
        let split = tree.splitFeature[node]
        let missing = " (missing: \(tree.missingGoesLeft[node] ? "yes" : "no"))"
        if !tree.categorySet.isEmpty, tree.categorySet[node] >= 0 {
            return categories(Int(split), set: Int(tree.categorySet[node])) + missing
        }
        let threshold = tree.threshold[node].description
        guard split < Tree.leaf else {
            return "\(model.featureNames[Int(split)]) <= \(threshold)\(missing)"
        }
        return "\(projection(Int(-2 - split))) <= \(threshold)"
    }

    private func projection(_ index: Int) -> String {
        let terms = Int(tree.projections.starts[index])..<Int(tree.projections.starts[index + 1])
        return terms.map { term in
            let name = model.featureNames[Int(tree.projections.features[term])]
            return "\(tree.projections.weights[term].description)·\(name)"
        }.joined(separator: " + ")
    }

    private func categories(_ feature: Int, set: Int) -> String {
        let sets = tree.categorySets
        let words = sets.words[Int(sets.starts[set])..<Int(sets.starts[set + 1])]
        let codes = words.enumerated().flatMap { index, word in
            (0..<32).filter { word >> UInt32($0) & 1 == 1 }.map { index * 32 + $0 }
        }
        let levels = model.featureKinds[feature].levels ?? []
        var names = codes.prefix(Self.levelsMax).map {
            levels.indices.contains($0) ? levels[$0] : "\($0)"
        }
        if codes.count > Self.levelsMax { names.append("… \(codes.count) in all") }
        return "\(model.featureNames[feature]) in {\(names.joined(separator: ", "))}"
    }

    private func leaf(_ node: Int) -> String {
        let width = model.ensemble.leafWidth
        let start = Int(tree.leftChild[node]) * width
        let values = tree.leafValues[start..<start + width]
        return "-> " + values.map(\.description).joined(separator: ", ")
    }
}
