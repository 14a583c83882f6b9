import DecisionForests

/// Reads a `model.manta`, trusting nothing in it.
///
/// `init` checks the frame: signature, version, size, checksum, and that the section table is the
/// one the counts call for. After that every section lies inside the file, so `decode` allocates at
/// most a small multiple of the file's own size.
struct ModelFileReader {
    private let bytes: [UInt8]
    private let layout: ModelFileLayout
    private let ranges: [Range<Int>]

    init(bytes: [UInt8]) throws(ModelFileError) {
        let magic = ModelFileLayout.magic
        guard bytes.count >= magic.count + 4, Array(bytes.prefix(magic.count)) == magic else {
            throw .notAModelFile
        }
        let version = bytes.integer(at: 8, as: UInt32.self)
        guard version == ModelFileLayout.version else { throw .unsupportedVersion(version) }
        guard bytes.count >= ModelFileLayout.headerSize else {
            throw .wrongSize(expected: UInt64(ModelFileLayout.headerSize), actual: bytes.count)
        }
        let size = bytes.integer(at: 16, as: UInt64.self)
        guard size == UInt64(bytes.count) else {
            throw .wrongSize(expected: size, actual: bytes.count)
        }
        guard Array(bytes[ModelFileLayout.checksum]) == ModelFile.checksum(of: bytes) else {
            throw .checksumMismatch
        }
        self.bytes = bytes
        layout = Self.layout(from: bytes)
        // Without outputs, no byte of the file would bound the number of leaves.
        guard layout.outputCount > 0 else {
            throw .malformed(part: "outputs", problem: "there are none")
        }
        guard let ranges = layout.ranges, Self.isFramed(bytes, by: ranges) else {
            throw .malformed(part: "section table", problem: "it does not fit the counts")
        }
        self.ranges = ranges
    }

    /// The digest of the model's other form, or `.none`.
    var otherFormDigest: FileDigest {
        FileDigest(bytes: Array(bytes[ModelFileLayout.otherForm])) ?? .none
    }

    func decode() throws(ModelFileError) -> TrainedModel {
        let texts = try texts()
        let featureCount = Int(layout.featureCount)
        let names = Array(texts[2..<(2 + featureCount)])
        let optional = zip(names, self[.optionalFeatures]).filter { $1 != 0 }.map(\.0)
        var parameters: [TrainedModel.Parameter] = []
        for index in 0..<Int(layout.parameterCount) {
            let start = 2 + featureCount + 2 * index
            parameters.append(.init(texts[start], texts[start + 1]))
        }
        guard let rowCount = Int(exactly: layout.trainingRowCount) else {
            throw .malformed(part: "training row count", problem: "it is too large")
        }
        return TrainedModel(
            ensemble: try ensemble(), featureNames: names, optionalFeatures: Set(optional),
            targetName: texts[0], task: try task(texts: texts), learner: texts[1],
            parameters: parameters, trainingRowCount: rowCount)
    }

    private func texts() throws(ModelFileError) -> [String] {
        let text = ranges[ModelFileLayout.Section.text.rawValue]
        var texts: [String] = []
        var start = text.lowerBound
        for end in column(.textEnds, as: UInt64.self) {
            guard end <= UInt64(text.count), text.lowerBound + Int(end) >= start else {
                throw .malformed(part: "text", problem: "a string ends outside of it")
            }
            let stop = text.lowerBound + Int(end)
            guard let string = String(validating: bytes[start..<stop], as: UTF8.self) else {
                throw .malformed(part: "text", problem: "a string is not UTF-8")
            }
            texts.append(string)
            start = stop
        }
        guard start == text.upperBound else {
            throw .malformed(part: "text", problem: "bytes are left over")
        }
        return texts
    }

    private func task(texts: [String]) throws(ModelFileError) -> TrainedModel.Task {
        switch ModelFileLayout.LabelKind(rawValue: layout.labelKind) {
        case .absent where layout.classCount == 0: .regression
        case .integer where layout.classCount > 0:
            .classification(classes: column(.integerLabels, as: Int64.self).map(ClassLabel.integer))
        case .string where layout.classCount > 0:
            .classification(
                classes: texts.suffix(Int(layout.classCount)).map(ClassLabel.string))
        default: throw .malformed(part: "classes", problem: "their kind is unknown")
        }
    }

    private func ensemble() throws(ModelFileError) -> TreeEnsemble {
        guard let aggregation = TreeEnsemble.Aggregation(rawValue: layout.aggregation) else {
            throw .malformed(part: "aggregation", problem: "\(layout.aggregation) is unknown")
        }
        guard let transform = TreeEnsemble.Transform(rawValue: layout.transform) else {
            throw .malformed(part: "transform", problem: "\(layout.transform) is unknown")
        }
        return TreeEnsemble(
            featureCount: Int(layout.featureCount), outputCount: Int(layout.outputCount),
            trees: try trees(), aggregation: aggregation, baseScores: floats(.baseScores),
            transform: transform)
    }

    private func trees() throws(ModelFileError) -> [Tree] {
        let nodeStarts = try starts(.treeNodeStarts, total: layout.nodeCount)
        let leafStarts = try starts(.treeLeafStarts, total: layout.leafCount)
        let features = column(.splitFeatures, as: Int32.self)
        let thresholds = floats(.thresholds)
        let children = column(.leftChildren, as: Int32.self)
        let missing = self[.missingGoesLeft].map { $0 != 0 }
        let values = floats(.leafValues)
        let outputCount = Int(layout.outputCount)
        var trees: [Tree] = []
        trees.reserveCapacity(nodeStarts.count - 1)
        for index in 0..<(nodeStarts.count - 1) {
            let nodes = nodeStarts[index]..<nodeStarts[index + 1]
            let leaves = (leafStarts[index] * outputCount)..<(leafStarts[index + 1] * outputCount)
            trees.append(
                Tree(
                    splitFeature: Array(features[nodes]), threshold: Array(thresholds[nodes]),
                    missingGoesLeft: Array(missing[nodes]), leftChild: Array(children[nodes]),
                    leafValues: Array(values[leaves])))
        }
        return trees
    }

    /// A column of running totals, checked to rise from 0 to `total`; all of them then fit `Int`.
    private func starts(
        _ section: ModelFileLayout.Section, total: UInt64
    ) throws(ModelFileError) -> [Int] {
        let starts = column(section, as: UInt64.self)
        guard starts.first == 0, starts.last == total,
            zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw .malformed(part: "tree table", problem: "its entries do not rise to the total")
        }
        return starts.map(Int.init)
    }

    private subscript(section: ModelFileLayout.Section) -> ArraySlice<UInt8> {
        bytes[ranges[section.rawValue]]
    }

    private func floats(_ section: ModelFileLayout.Section) -> [Float] {
        column(section, as: UInt32.self).map(Float.init(bitPattern:))
    }

    private func column<Item: FixedWidthInteger>(
        _ section: ModelFileLayout.Section, as item: Item.Type
    ) -> [Item] {
        let range = ranges[section.rawValue]
        let count = range.count / MemoryLayout<Item>.size
        let items = [Item](unsafeUninitializedCapacity: count) { items, initialized in
            UnsafeMutableRawBufferPointer(items).copyBytes(from: bytes[range])
            initialized = count
        }
        return items.map(Item.init(littleEndian:))
    }

    private static func layout(from bytes: [UInt8]) -> ModelFileLayout {
        var layout = ModelFileLayout()
        layout.featureCount = bytes.integer(at: 88, as: UInt32.self)
        layout.outputCount = bytes.integer(at: 92, as: UInt32.self)
        layout.treeCount = bytes.integer(at: 96, as: UInt32.self)
        layout.classCount = bytes.integer(at: 100, as: UInt32.self)
        layout.parameterCount = bytes.integer(at: 104, as: UInt32.self)
        layout.aggregation = bytes[108]
        layout.transform = bytes[109]
        layout.labelKind = bytes[110]
        layout.trainingRowCount = bytes.integer(at: 112, as: UInt64.self)
        layout.nodeCount = bytes.integer(at: 120, as: UInt64.self)
        layout.leafCount = bytes.integer(at: 128, as: UInt64.self)
        layout.textSize = bytes.integer(at: ModelFileLayout.sectionTableStart + 8, as: UInt64.self)
        return layout
    }

    /// Whether the section table names exactly `ranges`, which end with the file.
    private static func isFramed(_ bytes: [UInt8], by ranges: [Range<Int>]) -> Bool {
        guard ranges.last?.upperBound == bytes.count,
            bytes.integer(at: 12, as: UInt32.self) == UInt32(ModelFileLayout.headerSize),
            bytes.integer(at: 136, as: UInt32.self) == UInt32(ranges.count)
        else { return false }
        return ranges.enumerated().allSatisfy { index, range in
            let entry = ModelFileLayout.sectionTableStart + 16 * index
            return bytes.integer(at: entry, as: UInt64.self) == UInt64(range.lowerBound)
                && bytes.integer(at: entry + 8, as: UInt64.self) == UInt64(range.count)
        }
    }
}

extension [UInt8] {
    /// The little-endian integer at `offset`, which the caller knows to lie inside.
    fileprivate func integer<Item: FixedWidthInteger>(at offset: Int, as item: Item.Type) -> Item {
        withUnsafeBytes { raw in
            Item(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Item.self))
        }
    }
}
