import DecisionForests

/// Where everything in a `model.manta` stands: the one description reader and writer share.
///
/// The header gives the counts; they fix the size of every section, and sections follow each other
/// in one order, each on a 64-byte boundary. A file whose section table says anything else is
/// refused, so no offset from outside is ever followed. `docs/MODEL_FORMAT.md` shows the bytes.
struct ModelFileLayout: Hashable {
    /// Detects files cut or changed by text-mode transfers, as PNG's signature does.
    static let magic: [UInt8] = Array("MANTA\r\n\u{1A}".utf8)
    /// What is written.
    static let version: UInt32 = 3
    /// What is read. Version 2 has no section after `termWeights`, no parts but the first three,
    /// and a SHA-256 for its checksum.
    static let versionsRead: ClosedRange<UInt32> = 2...3
    /// A cache line, so that a column can be used where it lies in a mapped file.
    static let alignment = 64
    static let headerSize = 640
    /// Where the checksum stands: an XXH64 of everything behind it. What stands before it is
    /// compared with what it must be.
    static let checksum = 24..<32
    /// Version 2's checksum: a SHA-256 of the whole file with these bytes as zeros.
    static let checksumOfVersion2 = 24..<56
    static let otherForm = 56..<88
    static let sectionTableStart = 192

    /// In file order.
    enum Section: Int, CaseIterable {
        case text, textEnds, optionalFeatures, integerLabels, baseScores
        case treeNodeStarts, treeLeafStarts
        case splitFeatures, thresholds, leftChildren, missingGoesLeft, leafValues
        case featureKinds, levelCounts, gainImportances, imputations, linearTerm
        case categorySets, treeSetStarts, setWordStarts, setWords
        case treeProjectionStarts, projectionTermStarts, termFeatures, termWeights
        case covers, zeroIsMissing
    }

    /// How class labels are kept.
    enum LabelKind: UInt8 {
        case absent = 0
        case integer = 1
        case string = 2
    }

    /// What a feature's numbers stand for.
    enum KindCode: UInt8 {
        case numeric = 0
        case boolean = 1
        case categorical = 2

        init(_ kind: FeatureKind) {
            switch kind {
            case .numeric: self = .numeric
            case .boolean: self = .boolean
            case .categorical: self = .categorical
            }
        }
    }

    /// What a model may have besides trees; a section is empty where its bit is not set.
    struct Parts: OptionSet, Hashable {
        let rawValue: UInt8
        static let gainImportances = Parts(rawValue: 1)
        static let imputations = Parts(rawValue: 2)
        static let linearTerm = Parts(rawValue: 4)
        static let covers = Parts(rawValue: 8)
        static let zeroIsMissing = Parts(rawValue: 16)
        /// No section, but what categorical nodes do with categories that they do not know.
        static let unknownGoesRight = Parts(rawValue: 32)

        /// Those that a version knows.
        static func all(of version: UInt32) -> Parts {
            let first: Parts = [.gainImportances, .imputations, .linearTerm]
            return version == 2
                ? first : first.union([.covers, .zeroIsMissing, .unknownGoesRight])
        }
    }

    var version = Self.version

    var featureCount: UInt32 = 0
    var outputCount: UInt32 = 0
    var treeCount: UInt32 = 0
    /// 0 for regression.
    var classCount: UInt32 = 0
    var parameterCount: UInt32 = 0
    var aggregation: UInt8 = 0
    var transform: UInt8 = 0
    var labelKind: UInt8 = 0
    var parts: Parts = []
    /// Values per leaf.
    var leafWidth: UInt32 = 0
    var trainingRowCount: UInt64 = 0
    var nodeCount: UInt64 = 0
    var leafCount: UInt64 = 0
    /// Sets of categories in all trees, and their words.
    var setCount: UInt64 = 0
    var wordCount: UInt64 = 0
    /// Projections in all trees, and their terms.
    var projectionCount: UInt64 = 0
    var termCount: UInt64 = 0
    /// Levels of all categorical features.
    var levelCount: UInt64 = 0
    var textSize: UInt64 = 0

    /// Target, learner, features, a name and a value per parameter, levels, then string labels; nil
    /// if there are too many to count.
    var textCount: UInt64? {
        let labels = labelKind == LabelKind.string.rawValue ? UInt64(classCount) : 0
        let others = 2 + UInt64(featureCount) + 2 * UInt64(parameterCount) + labels
        let (sum, overflow) = others.addingReportingOverflow(levelCount)
        return overflow ? nil : sum
    }

    /// The byte range of every section, or nil if the counts do not fit into `Int`.
    var ranges: [Range<Int>]? {
        var ranges: [Range<Int>] = []
        var end = Self.headerSize
        for section in sections {
            guard let size = size(of: section), let start = Self.aligned(end) else { return nil }
            let (next, overflow) = start.addingReportingOverflow(size)
            guard !overflow else { return nil }
            ranges.append(start..<next)
            end = next
        }
        return ranges
    }

    /// The version's sections, in file order.
    var sections: ArraySlice<Section> {
        Section.allCases.prefix(version == 2 ? Section.covers.rawValue : Section.allCases.count)
    }

    private func size(of section: Section) -> Int? {
        guard let (items, width) = extent(of: section) else { return nil }
        let (size, overflow) = items.multipliedReportingOverflow(by: width)
        return overflow ? nil : Int(exactly: size)
    }

    /// How many items a section has, and their size in bytes; nil if the number overflows.
    private func extent(of section: Section) -> (items: UInt64, width: UInt64)? {
        let features = UInt64(featureCount)
        switch section {
        case .text: return (textSize, 1)
        case .textEnds: return textCount.map { ($0, 8) }
        case .optionalFeatures, .featureKinds: return (features, 1)
        case .integerLabels:
            return (labelKind == LabelKind.integer.rawValue ? UInt64(classCount) : 0, 8)
        case .baseScores: return (UInt64(outputCount), 4)
        case .treeNodeStarts, .treeLeafStarts: return (UInt64(treeCount) + 1, 8)
        case .splitFeatures, .thresholds, .leftChildren: return (nodeCount, 4)
        case .missingGoesLeft: return (nodeCount, 1)
        case .leafValues: return (leafCount, 4 * UInt64(leafWidth))
        case .levelCounts: return (levelCount > 0 ? features : 0, 4)
        case .gainImportances: return (parts.contains(.gainImportances) ? features : 0, 8)
        case .imputations: return (parts.contains(.imputations) ? features : 0, 4)
        case .linearTerm:
            // Both counts have 32 bits, so that their product has 64.
            return (parts.contains(.linearTerm) ? features * UInt64(outputCount) : 0, 8)
        case .categorySets: return (setCount > 0 ? nodeCount : 0, 4)
        case .treeSetStarts: return (setCount > 0 ? UInt64(treeCount) + 1 : 0, 8)
        case .setWordStarts: return Self.starts(setCount).map { ($0, 8) }
        case .setWords: return (wordCount, 4)
        case .treeProjectionStarts: return (projectionCount > 0 ? UInt64(treeCount) + 1 : 0, 8)
        case .projectionTermStarts: return Self.starts(projectionCount).map { ($0, 8) }
        case .termFeatures, .termWeights: return (termCount, 4)
        case .covers: return (parts.contains(.covers) ? nodeCount : 0, 4)
        case .zeroIsMissing: return (parts.contains(.zeroIsMissing) ? features : 0, 1)
        }
    }

    /// The starts of `count` runs and the end of the last; none for none.
    private static func starts(_ count: UInt64) -> UInt64? {
        guard count > 0 else { return 0 }
        let (sum, overflow) = count.addingReportingOverflow(1)
        return overflow ? nil : sum
    }

    private static func aligned(_ offset: Int) -> Int? {
        let (sum, overflow) = offset.addingReportingOverflow(alignment - 1)
        return overflow ? nil : sum / alignment * alignment
    }
}
