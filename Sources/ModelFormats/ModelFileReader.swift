import DecisionForests

/// Reads a `model.manta`, trusting nothing in it.
///
/// `version` and `init` check the frame: signature, version, size, and that the section table is
/// the one the counts call for. After that every section lies inside the file, so `decode`
/// allocates at most a small multiple of the file's own size. The checksum is the caller's to look
/// at.
struct ModelFileReader {
    private let bytes: ByteStorage
    private let layout: ModelFileLayout
    private let ranges: [Range<Int>]

    /// For bytes of which `version` has been found.
    init(bytes: ByteStorage, version: UInt32) throws(ModelFileError) {
        self.bytes = bytes
        layout = Self.layout(from: bytes, version: version)
        // Without values, no byte of the file would bound the number of outputs or leaves.
        guard layout.outputCount > 0 else {
            throw .malformed(part: "outputs", problem: "there are none")
        }
        guard layout.leafWidth > 0 else {
            throw .malformed(part: "leaves", problem: "they have no values")
        }
        guard ModelFileLayout.Parts.all(of: version).isSuperset(of: layout.parts) else {
            throw .malformed(part: "parts", problem: "an unknown one is announced")
        }
        guard let ranges = layout.ranges, Self.isFramed(bytes, by: ranges) else {
            throw .malformed(part: "section table", problem: "it does not fit the counts")
        }
        self.ranges = ranges
    }

    /// The version of a file; throws unless the bytes begin as one and are as many as they say.
    static func version(of bytes: ByteStorage) throws(ModelFileError) -> UInt32 {
        let magic = ModelFileLayout.magic
        guard bytes.count >= magic.count + 4, bytes.withBytes({ $0.starts(with: magic) }) else {
            throw .notAModelFile
        }
        let version = bytes.integer(at: 8, as: UInt32.self)
        guard ModelFileLayout.versionsRead.contains(version) else {
            throw .unsupportedVersion(version)
        }
        guard bytes.count >= ModelFileLayout.headerSize else {
            throw .wrongSize(expected: UInt64(ModelFileLayout.headerSize), actual: bytes.count)
        }
        let size = bytes.integer(at: 16, as: UInt64.self)
        guard size == UInt64(bytes.count) else {
            throw .wrongSize(expected: size, actual: bytes.count)
        }
        return version
    }

    /// The digest of the model's other form, or `.none`.
    var otherFormDigest: FileDigest {
        bytes.withBytes { FileDigest(bytes: Array($0[ModelFileLayout.otherForm])) } ?? .none
    }

    /// The model. `work` runs on one of the threads that look at the trees, unless something else
    /// is wrong before.
    func decode(beside work: @escaping @Sendable () -> Void) throws(ModelFileError) -> TrainedModel
    {
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
        let levels = texts[(2 + featureCount + 2 * parameters.count)...]
            .prefix(Int(layout.levelCount))
        return TrainedModel(
            ensemble: try ensemble(beside: work), featureNames: names,
            featureKinds: try kinds(levels),
            optionalFeatures: Set(optional), targetName: texts[0], task: try task(texts: texts),
            learner: texts[1], parameters: parameters, trainingRowCount: rowCount,
            gainImportances: numbers(.gainImportances, as: Double.self))
    }

    /// Each feature's kind; `levels` are those of all features, one after the other.
    private func kinds(_ levels: ArraySlice<String>) throws(ModelFileError) -> [FeatureKind] {
        let codes = self[.featureKinds].map(ModelFileLayout.KindCode.init(rawValue:))
        let counts = numbers(.levelCounts, as: UInt32.self)
        var rest = levels
        var kinds: [FeatureKind] = []
        for (feature, code) in codes.enumerated() {
            let count = counts.isEmpty ? 0 : Int(counts[feature])
            guard count <= rest.count, count == 0 || code == .categorical else {
                throw .malformed(part: "levels", problem: "feature \(feature) has \(count)")
            }
            switch code {
            case .numeric: kinds.append(.numeric)
            case .boolean: kinds.append(.boolean)
            case .categorical: kinds.append(.categorical(levels: Array(rest.prefix(count))))
            case nil: throw .malformed(part: "feature kinds", problem: "one is unknown")
            }
            rest = rest.dropFirst(count)
        }
        guard rest.isEmpty else {
            throw .malformed(part: "levels", problem: "some belong to no feature")
        }
        return kinds
    }

    private func texts() throws(ModelFileError) -> [String] {
        let text = ranges[ModelFileLayout.Section.text.rawValue]
        var texts: [String] = []
        var start = text.lowerBound
        for end in numbers(.textEnds, as: UInt64.self) {
            guard end <= UInt64(text.count), text.lowerBound + Int(end) >= start else {
                throw .malformed(part: "text", problem: "a string ends outside of it")
            }
            let stop = text.lowerBound + Int(end)
            let string = bytes.withBytes { String(validating: $0[start..<stop], as: UTF8.self) }
            guard let string else {
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
            .classification(
                classes: numbers(.integerLabels, as: Int64.self).map(ClassLabel.integer))
        case .string where layout.classCount > 0:
            .classification(
                classes: texts.suffix(Int(layout.classCount)).map(ClassLabel.string))
        default: throw .malformed(part: "classes", problem: "their kind is unknown")
        }
    }

    private func ensemble(
        beside work: @escaping @Sendable () -> Void
    ) throws(ModelFileError) -> TreeEnsemble {
        guard let aggregation = TreeEnsemble.Aggregation(rawValue: layout.aggregation) else {
            throw .malformed(part: "aggregation", problem: "\(layout.aggregation) is unknown")
        }
        guard let transform = TreeEnsemble.Transform(rawValue: layout.transform) else {
            throw .malformed(part: "transform", problem: "\(layout.transform) is unknown")
        }
        return TreeEnsemble(
            featureCount: Int(layout.featureCount), outputCount: Int(layout.outputCount),
            leafWidth: Int(layout.leafWidth),
            trees: TreeList(
                try trees(), checkedFor: Int(layout.featureCount), beside: work),
            aggregation: aggregation, baseScores: numbers(.baseScores, as: Float.self),
            transform: transform,
            linear: layout.parts.contains(.linearTerm)
                ? LinearTerm(coefficients: numbers(.linearTerm, as: Double.self)) : nil,
            imputations: numbers(.imputations, as: Float.self),
            zeroIsMissing: layout.version == 2 ? [] : self[.zeroIsMissing].map { $0 != 0 },
            unknownCategory: layout.parts.contains(.unknownGoesRight)
                ? .goesRight : .followsMissing)
    }

    /// The trees where they lie.
    private func trees() throws(ModelFileError) -> TreeColumns {
        var sets = TreeColumns.Sets()
        if layout.setCount > 0 {
            sets.ofNodes = column(.categorySets)
            sets.treeStarts = column(.treeSetStarts)
            sets.wordStarts = column(.setWordStarts)
        }
        sets.words = column(.setWords)
        var projections = TreeColumns.Weighings()
        if layout.projectionCount > 0 {
            projections.treeStarts = column(.treeProjectionStarts)
            projections.termStarts = column(.projectionTermStarts)
        }
        projections.features = column(.termFeatures)
        projections.weights = column(.termWeights)
        do throws(EnsembleError) {
            return try TreeColumns(
                leafWidth: Int(layout.leafWidth), nodeStarts: column(.treeNodeStarts),
                leafStarts: column(.treeLeafStarts), splitFeature: column(.splitFeatures),
                threshold: column(.thresholds), leftChild: column(.leftChildren),
                missingGoesLeft: column(.missingGoesLeft), leafValues: column(.leafValues),
                cover: layout.version == 2 ? .empty : column(.covers), sets: sets,
                projections: projections)
        } catch {
            throw .malformed(part: "tree table", problem: error.problem)
        }
    }

    private subscript(section: ModelFileLayout.Section) -> [UInt8] {
        numbers(section, as: UInt8.self)
    }

    /// A section's numbers where they lie.
    private func column<Item: BitwiseCopyable & Sendable>(
        _ section: ModelFileLayout.Section
    ) -> Column<Item> {
        let range = ranges[section.rawValue]
        return Column(
            bytes, at: range.lowerBound, count: range.count / MemoryLayout<Item>.stride)
    }

    /// A copy of a section's numbers.
    private func numbers<Item: BitwiseCopyable & Sendable>(
        _ section: ModelFileLayout.Section, as item: Item.Type
    ) -> [Item] {
        let column: Column<Item> = column(section)
        return column[0..<column.count]
    }

    private static func layout(from bytes: ByteStorage, version: UInt32) -> ModelFileLayout {
        var layout = ModelFileLayout()
        layout.version = version
        layout.featureCount = bytes.integer(at: 88, as: UInt32.self)
        layout.outputCount = bytes.integer(at: 92, as: UInt32.self)
        layout.treeCount = bytes.integer(at: 96, as: UInt32.self)
        layout.classCount = bytes.integer(at: 100, as: UInt32.self)
        layout.parameterCount = bytes.integer(at: 104, as: UInt32.self)
        layout.aggregation = bytes.integer(at: 108, as: UInt8.self)
        layout.transform = bytes.integer(at: 109, as: UInt8.self)
        layout.labelKind = bytes.integer(at: 110, as: UInt8.self)
        layout.parts = ModelFileLayout.Parts(rawValue: bytes.integer(at: 111, as: UInt8.self))
        layout.trainingRowCount = bytes.integer(at: 112, as: UInt64.self)
        layout.nodeCount = bytes.integer(at: 120, as: UInt64.self)
        layout.leafCount = bytes.integer(at: 128, as: UInt64.self)
        layout.leafWidth = bytes.integer(at: 140, as: UInt32.self)
        layout.setCount = bytes.integer(at: 144, as: UInt64.self)
        layout.wordCount = bytes.integer(at: 152, as: UInt64.self)
        layout.projectionCount = bytes.integer(at: 160, as: UInt64.self)
        layout.termCount = bytes.integer(at: 168, as: UInt64.self)
        layout.levelCount = bytes.integer(at: 176, as: UInt64.self)
        layout.textSize = bytes.integer(at: ModelFileLayout.sectionTableStart + 8, as: UInt64.self)
        return layout
    }

    /// Whether the section table names exactly `ranges`, which end with the file.
    private static func isFramed(_ bytes: ByteStorage, by ranges: [Range<Int>]) -> Bool {
        guard ranges.last?.upperBound == bytes.count,
            bytes.integer(at: 12, as: UInt32.self) == UInt32(ModelFileLayout.headerSize),
            bytes.integer(at: 136, as: UInt32.self) == UInt32(ranges.count),
            bytes.integer(at: 184, as: UInt64.self) == 0
        else { return false }
        return ranges.enumerated().allSatisfy { index, range in
            let entry = ModelFileLayout.sectionTableStart + 16 * index
            return bytes.integer(at: entry, as: UInt64.self) == UInt64(range.lowerBound)
                && bytes.integer(at: entry + 8, as: UInt64.self) == UInt64(range.count)
        }
    }
}

extension ByteStorage {
    /// The little-endian integer at `offset`, which the caller knows to lie inside.
    fileprivate func integer<Item: FixedWidthInteger>(at offset: Int, as item: Item.Type) -> Item {
        withBytes { raw in
            Item(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Item.self))
        }
    }
}
