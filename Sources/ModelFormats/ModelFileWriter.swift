import DecisionForests

/// Lays a checked model out as `ModelFileLayout` says.
struct ModelFileWriter {
    private let model: TrainedModel
    private let otherFormDigest: FileDigest
    private var texts: [String] = []
    private var labels: [Int64] = []
    private var layout = ModelFileLayout()

    init(model: TrainedModel, otherFormDigest: FileDigest) {
        self.model = model
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
        for section in ModelFileLayout.Section.allCases {
            Self.pad(&bytes, to: ranges[section.rawValue].lowerBound)
            writer.append(section, to: &bytes)
        }
        bytes.replaceSubrange(ModelFileLayout.checksum, with: ModelFile.checksum(of: bytes))
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
        layout.levelCount = model.featureKinds.reduce(0) { $0 + UInt64($1.levels?.count ?? 0) }
        layout.aggregation = ensemble.aggregation.rawValue
        layout.transform = ensemble.transform.rawValue
        layout.trainingRowCount = UInt64(model.trainingRowCount)
        layout.nodeCount = ensemble.trees.reduce(0) { $0 + UInt64($1.nodeCount) }
        layout.leafCount = ensemble.trees.reduce(0) {
            $0 + UInt64($1.leafValues.count / ensemble.leafWidth)
        }
        for tree in ensemble.trees {
            layout.setCount += UInt64(tree.categorySets.count)
            layout.wordCount += UInt64(tree.categorySets.words.count)
            layout.projectionCount += UInt64(tree.projections.count)
            layout.termCount += UInt64(tree.projections.features.count)
        }
        layout.textSize = texts.reduce(0) { $0 + UInt64($1.utf8.count) }
        return layout
    }

    private func appendHeader(ranges: [Range<Int>], to bytes: inout [UInt8]) {
        let fileSize = ranges.last?.upperBound ?? 0
        bytes += ModelFileLayout.magic
        bytes.append(integer: ModelFileLayout.version)
        bytes.append(integer: UInt32(ModelFileLayout.headerSize))
        bytes.append(integer: UInt64(fileSize))
        bytes += FileDigest.none.bytes  // The checksum, known last.
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
        let (ensemble, trees) = (model.ensemble, model.ensemble.trees)
        switch section {
        case .text: texts.forEach { bytes += $0.utf8 }
        case .textEnds: appendStarts(of: texts.map(\.utf8.count), to: &bytes, skippingFirst: true)
        case .optionalFeatures:
            bytes += model.featureNames.map { model.optionalFeatures.contains($0) ? 1 : 0 }
        case .integerLabels: bytes.append(integers: labels)
        case .baseScores: bytes.append(floats: ensemble.baseScores)
        case .treeNodeStarts: appendStarts(of: trees.map(\.nodeCount), to: &bytes)
        case .treeLeafStarts:
            appendStarts(
                of: trees.map { $0.leafValues.count / ensemble.leafWidth }, to: &bytes)
        case .splitFeatures: trees.forEach { bytes.append(integers: $0.splitFeature) }
        case .thresholds: trees.forEach { bytes.append(floats: $0.threshold) }
        case .leftChildren: trees.forEach { bytes.append(integers: $0.leftChild) }
        case .missingGoesLeft: trees.forEach { bytes += $0.missingGoesLeft.map { $0 ? 1 : 0 } }
        case .leafValues: trees.forEach { bytes.append(floats: $0.leafValues) }
        case .featureKinds:
            bytes += model.featureKinds.map { ModelFileLayout.KindCode($0).rawValue }
        case .levelCounts where layout.levelCount > 0:
            bytes.append(integers: model.featureKinds.map { UInt32($0.levels?.count ?? 0) })
        case .gainImportances: bytes.append(doubles: model.gainImportances)
        case .imputations: bytes.append(floats: ensemble.imputations)
        case .linearTerm: bytes.append(doubles: ensemble.linear?.coefficients ?? [])
        case .levelCounts: break
        case .categorySets, .treeSetStarts, .setWordStarts, .setWords:
            if layout.setCount > 0 { appendSets(section, to: &bytes) }
        case .treeProjectionStarts, .projectionTermStarts, .termFeatures, .termWeights:
            if layout.projectionCount > 0 { appendProjections(section, to: &bytes) }
        }
    }

    private func appendSets(_ section: ModelFileLayout.Section, to bytes: inout [UInt8]) {
        let trees = model.ensemble.trees
        switch section {
        case .categorySets:
            for tree in trees {
                let none = [Int32](repeating: -1, count: tree.nodeCount)
                bytes.append(integers: tree.categorySet.isEmpty ? none : tree.categorySet)
            }
        case .treeSetStarts: appendStarts(of: trees.map(\.categorySets.count), to: &bytes)
        case .setWordStarts:
            appendStarts(of: trees.flatMap { Self.lengths($0.categorySets.starts) }, to: &bytes)
        default: trees.forEach { bytes.append(integers: $0.categorySets.words) }
        }
    }

    private func appendProjections(_ section: ModelFileLayout.Section, to bytes: inout [UInt8]) {
        let trees = model.ensemble.trees
        switch section {
        case .treeProjectionStarts: appendStarts(of: trees.map(\.projections.count), to: &bytes)
        case .projectionTermStarts:
            appendStarts(of: trees.flatMap { Self.lengths($0.projections.starts) }, to: &bytes)
        case .termFeatures: trees.forEach { bytes.append(integers: $0.projections.features) }
        default: trees.forEach { bytes.append(floats: $0.projections.weights) }
        }
    }

    /// The lengths of the runs that start there.
    private static func lengths(_ starts: [Int32]) -> [Int] {
        zip(starts, starts.dropFirst()).map { Int($1 - $0) }
    }

    /// Running totals from 0: where each of several runs starts, and where the last one ends.
    private func appendStarts(
        of counts: [Int], to bytes: inout [UInt8], skippingFirst: Bool = false
    ) {
        var total: UInt64 = 0
        if !skippingFirst { bytes.append(integer: total) }
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
