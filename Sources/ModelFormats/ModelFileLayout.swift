/// Where everything in a `model.manta` stands: the one description reader and writer share.
///
/// The header gives the counts; they fix the size of every section, and sections follow each other
/// in one order, each on a 64-byte boundary. A file whose section table says anything else is
/// refused, so no offset from outside is ever followed. `docs/MODEL_FORMAT.md` shows the bytes.
struct ModelFileLayout: Hashable {
    /// Detects files cut or changed by text-mode transfers, as PNG's signature does.
    static let magic: [UInt8] = Array("MANTA\r\n\u{1A}".utf8)
    static let version: UInt32 = 1
    /// A cache line, so that a column can be used where it lies in a mapped file.
    static let alignment = 64
    static let headerSize = 384
    /// Where the checksum stands; it covers the whole file with these bytes as zeros.
    static let checksum = 24..<56
    static let otherForm = 56..<88
    static let sectionTableStart = 144

    /// In file order.
    enum Section: Int, CaseIterable {
        case text, textEnds, optionalFeatures, integerLabels, baseScores
        case treeNodeStarts, treeLeafStarts
        case splitFeatures, thresholds, leftChildren, missingGoesLeft, leafValues
    }

    /// How class labels are kept.
    enum LabelKind: UInt8 {
        case absent = 0
        case integer = 1
        case string = 2
    }

    var featureCount: UInt32 = 0
    var outputCount: UInt32 = 0
    var treeCount: UInt32 = 0
    /// 0 for regression.
    var classCount: UInt32 = 0
    var parameterCount: UInt32 = 0
    var aggregation: UInt8 = 0
    var transform: UInt8 = 0
    var labelKind: UInt8 = 0
    var trainingRowCount: UInt64 = 0
    var nodeCount: UInt64 = 0
    var leafCount: UInt64 = 0
    var textSize: UInt64 = 0

    /// Target, learner, features, a name and a value per parameter, then string labels.
    var textCount: UInt64 {
        let labels = labelKind == LabelKind.string.rawValue ? UInt64(classCount) : 0
        return 2 + UInt64(featureCount) + 2 * UInt64(parameterCount) + labels
    }

    /// The byte range of every section, or nil if the counts do not fit into `Int`.
    var ranges: [Range<Int>]? {
        var ranges: [Range<Int>] = []
        var end = Self.headerSize
        for section in Section.allCases {
            guard let size = size(of: section), let start = Self.aligned(end) else { return nil }
            let (next, overflow) = start.addingReportingOverflow(size)
            guard !overflow else { return nil }
            ranges.append(start..<next)
            end = next
        }
        return ranges
    }

    private func size(of section: Section) -> Int? {
        let (items, width): (UInt64, UInt64) =
            switch section {
            case .text: (textSize, 1)
            case .textEnds: (textCount, 8)
            case .optionalFeatures: (UInt64(featureCount), 1)
            case .integerLabels:
                (labelKind == LabelKind.integer.rawValue ? UInt64(classCount) : 0, 8)
            case .baseScores: (UInt64(outputCount), 4)
            case .treeNodeStarts, .treeLeafStarts: (UInt64(treeCount) + 1, 8)
            case .splitFeatures, .thresholds, .leftChildren: (nodeCount, 4)
            case .missingGoesLeft: (nodeCount, 1)
            case .leafValues: (leafCount, 4 * UInt64(outputCount))
            }
        let (size, overflow) = items.multipliedReportingOverflow(by: width)
        return overflow ? nil : Int(exactly: size)
    }

    private static func aligned(_ offset: Int) -> Int? {
        let (sum, overflow) = offset.addingReportingOverflow(alignment - 1)
        return overflow ? nil : sum / alignment * alignment
    }
}
