import DecisionForests

/// Lays a checked model out as `ModelFileLayout` says.
struct ModelFileWriter {
    private let model: TrainedModel
    private let otherFormDigest: FileDigest
    private var texts: [String] = []
    private var labels: [Int64] = []
    private var layout = ModelFileLayout()
    private let trees: TreeColumns

    init(model: TrainedModel, otherFormDigest: FileDigest) throws(ModelFileError) {
        self.model = model
        do {
            trees = try model.ensemble.trees.columns(leafWidth: model.ensemble.leafWidth)
        } catch {
            throw .malformed(part: "trees", problem: error.problem)
        }
        self.otherFormDigest = otherFormDigest
        texts = [model.targetName, model.learner] + model.featureNames
        for parameter in model.parameters {
            texts += [parameter.name, parameter.value]
        }
        for kind in model.featureKinds { texts += kind.levels ?? [] }
        if case .classification(let classes) = model.task {
            for label in classes {
                switch label {
                case .integer(let value): labels.append(value)
                case .string(let text): texts.append(text)
                }
            }
        }
    }

    func encode() throws(ModelFileError) -> [UInt8] {
        var writer = self
        writer.layout = try layoutOfModel()
        guard let ranges = writer.layout.ranges, let end = ranges.last?.upperBound,
            end <= ModelFile.sizeMax
        else {
            throw .malformed(part: "size", problem: "it is over \(ModelFile.sizeMax) bytes")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end)
        writer.appendHeader(ranges: ranges, to: &bytes)
        for section in layout.sections {
            Self.pad(&bytes, to: ranges[section.rawValue].lowerBound)
            writer.append(section, to: &bytes)
        }
        let checksum = bytes.withUnsafeBytes(ModelFile.checksum)
        bytes.replaceSubrange(ModelFileLayout.checksum, with: checksum)
        return bytes
    }

    private func layoutOfModel() throws(ModelFileError) -> ModelFileLayout {
        let ensemble = model.ensemble
        var layout = ModelFileLayout()
        layout.featureCount = try Self.count(ensemble.featureCount, of: "features")
        layout.outputCount = try Self.count(ensemble.outputCount, of: "outputs")
        layout.treeCount = try Self.count(ensemble.trees.count, of: "trees")
        layout.parameterCount = try Self.count(model.parameters.count, of: "parameters")
        if case .classification(let classes) = model.task {
            layout.classCount = try Self.count(classes.count, of: "classes")
            let kind: ModelFileLayout.LabelKind = labels.isEmpty ? .string : .integer
            layout.labelKind = kind.rawValue
        }
        layout.leafWidth = try Self.count(ensemble.leafWidth, of: "values per leaf")
        if !model.gainImportances.isEmpty { layout.parts.insert(.gainImportances) }
        if !ensemble.imputations.isEmpty { layout.parts.insert(.imputations) }
        if ensemble.linear != nil { layout.parts.insert(.linearTerm) }
        if !trees.cover.isEmpty { layout.parts.insert(.covers) }
        if !ensemble.zeroIsMissing.isEmpty { layout.parts.insert(.zeroIsMissing) }
        if ensemble.unknownCategory == .goesRight { layout.parts.insert(.unknownGoesRight) }
        layout.levelCount = model.featureKinds.reduce(0) { $0 + UInt64($1.levels?.count ?? 0) }
        layout.aggregation = ensemble.aggregation.rawValue
        layout.transform = ensemble.transform.rawValue
        layout.trainingRowCount = UInt64(model.trainingRowCount)
        layout.nodeCount = UInt64(trees.nodeCount)
        layout.leafCount = UInt64(trees.leafValues.count / ensemble.leafWidth)
        layout.setCount = UInt64(trees.sets.count)
        layout.wordCount = UInt64(trees.sets.words.count)
        layout.projectionCount = UInt64(trees.projections.count)
        layout.termCount = UInt64(trees.projections.features.count)
        layout.textSize = texts.reduce(0) { $0 + UInt64($1.utf8.count) }
        return layout
    }

    private func appendHeader(ranges: [Range<Int>], to bytes: inout [UInt8]) {
        let fileSize = ranges.last?.upperBound ?? 0
        bytes += ModelFileLayout.magic
        bytes.append(integer: ModelFileLayout.version)
        bytes.append(integer: UInt32(ModelFileLayout.headerSize))
        bytes.append(integer: UInt64(fileSize))
        bytes += [UInt8](repeating: 0, count: 32)  // The checksum, known last, in 8 of them.
        bytes += otherFormDigest.bytes
        for count in [
            layout.featureCount, layout.outputCount, layout.treeCount, layout.classCount,
            layout.parameterCount,
        ] {
            bytes.append(integer: count)
        }
        bytes += [layout.aggregation, layout.transform, layout.labelKind, layout.parts.rawValue]
        bytes.append(integer: layout.trainingRowCount)
        bytes.append(integer: layout.nodeCount)
        bytes.append(integer: layout.leafCount)
        bytes.append(integer: UInt32(ranges.count))
        bytes.append(integer: layout.leafWidth)
        for count in [
            layout.setCount, layout.wordCount, layout.projectionCount, layout.termCount,
            layout.levelCount, 0,
        ] {
            bytes.append(integer: count)
        }
        for range in ranges {
            bytes.append(integer: UInt64(range.lowerBound))
            bytes.append(integer: UInt64(range.count))
        }
        Self.pad(&bytes, to: ModelFileLayout.headerSize)
    }

    private func append(_ section: ModelFileLayout.Section, to bytes: inout [UInt8]) {
        let ensemble = model.ensemble
        switch section {
        case .text: texts.forEach { bytes += $0.utf8 }
        case .textEnds: appendEnds(of: texts.map(\.utf8.count), to: &bytes)
        case .optionalFeatures:
            bytes += model.featureNames.map { model.optionalFeatures.contains($0) ? 1 : 0 }
        case .integerLabels: bytes.append(integers: labels)
        case .baseScores: bytes.append(floats: ensemble.baseScores)
        case .treeNodeStarts: bytes.append(trees.nodeStarts)
        case .treeLeafStarts: bytes.append(trees.leafStarts)
        case .splitFeatures: bytes.append(trees.splitFeature)
        case .thresholds: bytes.append(trees.threshold)
        case .leftChildren: bytes.append(trees.leftChild)
        case .missingGoesLeft: bytes.append(trees.missingGoesLeft)
        case .leafValues: bytes.append(trees.leafValues)
        case .featureKinds:
            bytes += model.featureKinds.map { ModelFileLayout.KindCode($0).rawValue }
        case .levelCounts where layout.levelCount > 0:
            bytes.append(integers: model.featureKinds.map { UInt32($0.levels?.count ?? 0) })
        case .levelCounts: break
        case .gainImportances: bytes.append(doubles: model.gainImportances)
        case .imputations: bytes.append(floats: ensemble.imputations)
        case .linearTerm: bytes.append(doubles: ensemble.linear?.coefficients ?? [])
        case .categorySets: bytes.append(trees.sets.ofNodes)
        case .treeSetStarts: bytes.append(trees.sets.treeStarts)
        case .setWordStarts: bytes.append(trees.sets.wordStarts)
        case .setWords: bytes.append(trees.sets.words)
        case .treeProjectionStarts: bytes.append(trees.projections.treeStarts)
        case .projectionTermStarts: bytes.append(trees.projections.termStarts)
        case .termFeatures: bytes.append(trees.projections.features)
        case .termWeights: bytes.append(trees.projections.weights)
        case .covers: bytes.append(trees.cover)
        case .zeroIsMissing: bytes += ensemble.zeroIsMissing.map { $0 ? 1 : 0 }
        }
    }

    /// Running totals: where each of several runs ends.
    private func appendEnds(of counts: [Int], to bytes: inout [UInt8]) {
        var total: UInt64 = 0
        for count in counts {
            total += UInt64(count)
            bytes.append(integer: total)
        }
    }

    private static func count(_ value: Int, of what: String) throws(ModelFileError) -> UInt32 {
        guard let count = UInt32(exactly: value) else {
            throw .malformed(part: what, problem: "there are \(value) of them")
        }
        return count
    }

    private static func pad(_ bytes: inout [UInt8], to end: Int) {
        bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ column: Column<some BitwiseCopyable & Sendable>) {
        column.withElementBytes { append(contentsOf: $0) }
    }

    fileprivate mutating func append(integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(integers: [some FixedWidthInteger]) {
        integers.map(\.littleEndian).withUnsafeBytes { append(contentsOf: $0) }
    }

    fileprivate mutating func append(floats: [Float]) {
        append(integers: floats.map(\.bitPattern))
    }

    fileprivate mutating func append(doubles: [Double]) {
        append(integers: doubles.map(\.bitPattern))
    }
}
