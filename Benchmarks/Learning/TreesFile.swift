import DecisionForests
import Foundation

/// An ensemble as a file of flat little-endian arrays of 4 bytes a number, which
/// `Benchmarks/prediction/trees.py` reads: other libraries are asked and set beside ours with the
/// same trees.
///
/// Counts of trees, values per leaf, outputs, features; whether trees are averaged; the transform;
/// the base scores; then per tree its node count and the number of leaf values, split features,
/// thresholds, sides of missing values, left children, covers and leaf values. Only trees that
/// compare single features with thresholds have such a file.
enum TreesFile {
    /// Bytes that are no such file.
    struct Damaged: Error, CustomStringConvertible {
        let description: String
    }

    /// The trees of the file that the options name, or those that their learner fits to `train`,
    /// which are then written there. Says what fitting took in processor time, nil if it was not.
    static func ensemble(
        of train: Dataset, _ options: BenchOptions
    ) throws -> (trees: TreeEnsemble, fitCpuSeconds: Double?) {
        if let path = options.model, FileManager.default.fileExists(atPath: path) {
            return (try read(path), nil)
        }
        let learner = try LearnerSpec(
            options.learner, parameters: options.parameters, seed: options.seeds[0]
        ).learner(for: train.target)
        let start = ProcessUsage.cpuSeconds
        let ensemble = try learner.fit(train, threads: options.threads).ensemble
        let seconds = ProcessUsage.cpuSeconds - start
        if let path = options.model { try write(ensemble, to: path) }
        return (ensemble, seconds)
    }

    /// Writes a file at once, so that an interrupted run leaves no half one.
    ///
    /// Throws if the trees have categories or projections, or if the file cannot be written.
    static func write(_ ensemble: TreeEnsemble, to path: String) throws {
        var bytes = Data()
        func append(_ numbers: [Int32]) {
            numbers.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        func append(_ numbers: [Float]) {
            numbers.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        append([
            Int32(ensemble.trees.count), Int32(ensemble.leafWidth), Int32(ensemble.outputCount),
            Int32(ensemble.featureCount), ensemble.aggregation == .average ? 1 : 0,
            Int32(ensemble.transform.rawValue),
        ])
        append(ensemble.baseScores)
        for tree in ensemble.trees {
            guard tree.categorySet.isEmpty, tree.splitFeature.allSatisfy({ $0 >= Tree.leaf })
            else { throw Damaged(description: "\(path): only trees that compare numbers") }
            append([Int32(tree.nodeCount), Int32(tree.leafValues.count)])
            append(tree.splitFeature)
            append(tree.threshold)
            append(tree.missingGoesLeft.map { $0 ? Int32(1) : 0 })
            append(tree.leftChild)
            append(
                tree.cover.isEmpty ? [Float](repeating: 0, count: tree.nodeCount) : tree.cover)
            append(tree.leafValues)
        }
        try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// The ensemble of a file that `write` made. Whether its nodes make sense is checked where a
    /// predictor is built.
    static func read(_ path: String) throws -> TreeEnsemble {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var numbers = [Int32](repeating: 0, count: bytes.count / 4)
        _ = numbers.withUnsafeMutableBytes { bytes.copyBytes(to: $0) }
        var reader = Reader(numbers: numbers[...], path: path)
        let head = try reader.take(6)
        guard let transform = UInt8(exactly: head[5]).flatMap(TreeEnsemble.Transform.init) else {
            throw Damaged(description: "\(path): transform \(head[5])")
        }
        let baseScores = try reader.takeFloats(Int(head[2]))
        var trees: [Tree] = []
        for _ in 0..<max(0, head[0]) {
            let counts = try reader.take(2)
            let nodeCount = Int(counts[0])
            var tree = Tree(
                splitFeature: try reader.take(nodeCount),
                threshold: try reader.takeFloats(nodeCount),
                missingGoesLeft: try reader.take(nodeCount).map { $0 != 0 },
                leftChild: try reader.take(nodeCount), leafValues: [])
            tree.cover = try reader.takeFloats(nodeCount)
            tree.leafValues = try reader.takeFloats(Int(counts[1]))
            trees.append(tree)
        }
        return TreeEnsemble(
            featureCount: Int(head[3]), outputCount: Int(head[2]), leafWidth: Int(head[1]),
            trees: trees, aggregation: head[4] == 0 ? .sum : .average, baseScores: baseScores,
            transform: transform)
    }

    private struct Reader {
        var numbers: ArraySlice<Int32>
        let path: String

        mutating func take(_ count: Int) throws -> [Int32] {
            guard (0...numbers.count).contains(count) else {
                throw Damaged(description: "\(path) ends too early")
            }
            defer { numbers = numbers.dropFirst(count) }
            return Array(numbers.prefix(count))
        }

        mutating func takeFloats(_ count: Int) throws -> [Float] {
            try take(count).map { Float(bitPattern: UInt32(bitPattern: $0)) }
        }
    }
}
