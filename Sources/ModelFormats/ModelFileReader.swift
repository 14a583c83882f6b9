import DecisionForests

/// Reads a `model.manta`, trusting nothing in it.
///
/// `init` checks the frame: signature, version, size, checksum, and that the section table is the
/// one the counts call for. After that every section lies inside the file, so `decode` allocates at
/// most a small multiple of the file's own size.
struct ModelFileReader {
    private let bytes: [UInt8]
    let layout: ModelFileLayout
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
        // Without values, no byte of the file would bound the number of outputs or leaves.
        guard layout.outputCount > 0 else {
            throw .malformed(part: "outputs", problem: "there are none")
        }
        guard layout.leafWidth > 0 else {
            throw .malformed(part: "leaves", problem: "they have no values")
        }
        guard ModelFileLayout.Parts.all.isSuperset(of: layout.parts) else {
            throw .malformed(part: "parts", problem: "an unknown one is announced")
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
        let levels = texts[(2 + featureCount + 2 * parameters.count)...]
            .prefix(Int(layout.levelCount))
        return TrainedModel(
            ensemble: try ensemble(), featureNames: names, featureKinds: try kinds(levels),
            optionalFeatures: Set(optional), targetName: texts[0], task: try task(texts: texts),
            learner: texts[1], parameters: parameters, trainingRowCount: rowCount,
            gainImportances: doubles(.gainImportances))
    }

    /// Each feature's kind; `levels` are those of all features, one after the other.
    private func kinds(_ levels: ArraySlice<String>) throws(ModelFileError) -> [FeatureKind] {
        let codes = self[.featureKinds].map(ModelFileLayout.KindCode.init(rawValue:))
        let counts = column(.levelCounts, as: UInt32.self)
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
            leafWidth: Int(layout.leafWidth), trees: try trees(), aggregation: aggregation,
            baseScores: floats(.baseScores), transform: transform,
            linear: layout.parts.contains(.linearTerm)
                ? LinearTerm(coefficients: doubles(.linearTerm)) : nil,
            imputations: floats(.imputations))
    }

    subscript(section: ModelFileLayout.Section) -> ArraySlice<UInt8> {
        bytes[ranges[section.rawValue]]
    }

    func floats(_ section: ModelFileLayout.Section) -> [Float] {
        column(section, as: UInt32.self).map(Float.init(bitPattern:))
    }

    private func doubles(_ section: ModelFileLayout.Section) -> [Double] {
        column(section, as: UInt64.self).map(Double.init(bitPattern:))
    }

    func column<Item: FixedWidthInteger>(
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
        layout.parts = ModelFileLayout.Parts(rawValue: bytes[111])
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
    private static func isFramed(_ bytes: [UInt8], by ranges: [Range<Int>]) -> Bool {
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

extension [UInt8] {
    /// The little-endian integer at `offset`, which the caller knows to lie inside.
    fileprivate func integer<Item: FixedWidthInteger>(at offset: Int, as item: Item.Type) -> Item {
        withUnsafeBytes { raw in
            Item(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Item.self))
        }
    }
}
