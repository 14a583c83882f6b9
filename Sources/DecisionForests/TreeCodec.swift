/// The binary form in which grown trees travel back from executors: little-endian, one form per
/// list.
///
/// Mark "MantaTrees", version, tree count; per tree the node count, the number of leaf values, then
/// the arrays one after another.
public enum TreeCodec {
    private static let mark = "MantaTrees"
    private static let version: UInt32 = 1

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
            trees.append(
                Tree(
                    splitFeature: try reader.readNumbers(nodeCount),
                    threshold: try reader.readFloats(nodeCount),
                    missingGoesLeft: try reader.readFlags(nodeCount),
                    leftChild: try reader.readNumbers(nodeCount),
                    leafValues: try reader.readFloats(valueCount)))
        }
        try reader.expectEnd()
        return trees
    }
}
