/// The binary form in which grown trees travel back from executors: little-endian, one form per
/// list.
///
/// Mark "MantaTrees", version, tree count; per tree the node count, the number of leaf values, then
/// the arrays one after another; the sets of categories, the projections, the nodes' covers and the
/// splits' gains with their lengths.
public enum TreeCodec {
    private static let mark = "MantaTrees"
    private static let version: UInt32 = 4

    /// The trees as bytes. Equal trees give equal bytes.
    public static func encode(_ trees: [Tree]) -> [UInt8] {
        var writer = ByteWriter()
        for byte in mark.utf8 { writer.append(byte) }
        writer.append(version)
        writer.append(UInt32(trees.count))
        for tree in trees {
            writer.append(UInt32(tree.nodeCount))
            writer.append(UInt32(tree.leafValues.count))
            writer.append(numbers: tree.splitFeature)
            writer.append(floats: tree.threshold)
            writer.append(flags: tree.missingGoesLeft)
            writer.append(numbers: tree.leftChild)
            writer.append(floats: tree.leafValues)
            append(tree.categorySet, to: &writer)
            append(tree.categorySets.starts, to: &writer)
            append(tree.categorySets.words.map { Int32(bitPattern: $0) }, to: &writer)
            append(tree.projections.starts, to: &writer)
            append(tree.projections.features, to: &writer)
            writer.append(floats: tree.projections.weights)
            writer.append(UInt32(tree.cover.count))
            writer.append(floats: tree.cover)
            writer.append(UInt32(tree.splitGains.count))
            writer.append(floats: tree.splitGains)
        }
        return writer.bytes
    }

    /// The trees that `encode` wrote. Bytes that are anything else throw.
    ///
    /// The arrays have the right lengths afterwards; whether the nodes make sense is for
    /// `TreeEnsemble.validate()`, which every learner's `model(from:)` calls.
    public static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> [Tree] {
        var reader = ByteReader(bytes, subject: "list of trees")
        try reader.expect(mark: mark, version: version)
        let treeCount = try reader.readCount(ofSize: 8)
        var trees: [Tree] = []
        for _ in 0..<treeCount {
            let nodeCount = try reader.readCount(ofSize: 13)
            let valueCount = try reader.readCount(ofSize: 4)
            var tree = Tree(
                splitFeature: try reader.readNumbers(nodeCount),
                threshold: try reader.readFloats(nodeCount),
                missingGoesLeft: try reader.readFlags(nodeCount),
                leftChild: try reader.readNumbers(nodeCount),
                leafValues: try reader.readFloats(valueCount))
            tree.categorySet = try readNumbers(from: &reader)
            tree.categorySets = CategorySets(
                starts: try readNumbers(from: &reader),
                words: try readNumbers(from: &reader).map { UInt32(bitPattern: $0) })
            let starts = try readNumbers(from: &reader)
            let features = try readNumbers(from: &reader)
            tree.projections = Projections(
                starts: starts, features: features,
                weights: try reader.readFloats(features.count))
            tree.cover = try reader.readFloats(reader.readCount(ofSize: 4))
            tree.splitGains = try reader.readFloats(reader.readCount(ofSize: 4))
            trees.append(tree)
        }
        try reader.expectEnd()
        return trees
    }

    private static func append(_ numbers: [Int32], to writer: inout ByteWriter) {
        writer.append(UInt32(numbers.count))
        writer.append(numbers: numbers)
    }

    private static func readNumbers(
        from reader: inout ByteReader
    ) throws(DamagedBytes) -> [Int32] {
        try reader.readNumbers(try reader.readCount(ofSize: 4))
    }
}
