#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The binary form in which a data set travels to executors: little-endian, one form per data set.
///
/// Mark "MantaDataset", version; row count, column names, kinds and columns; the target's name,
/// kind, labels and values; then a flag and the weights, and a flag and the groups.
extension Dataset {
    private static let mark = "MantaDataset"
    private static let version: UInt32 = 3

    /// The data set as bytes. Equal data sets give equal bytes.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        for byte in Self.mark.utf8 { writer.append(byte) }
        writer.append(Self.version)
        writer.append(UInt32(rowCount))
        writer.append(UInt32(featureCount))
        for name in featureNames { writer.append(text: name) }
        for kind in featureKinds { Self.append(kind, to: &writer) }
        for column in columns { writer.append(floats: column) }
        writer.append(text: targetName)
        switch target {
        case .classes(let labels, let indices):
            writer.append(UInt8(0))
            Self.append(labels, to: &writer)
            writer.append(numbers: indices)
        case .values(let values):
            writer.append(UInt8(1))
            writer.append(floats: values)
        }
        writer.append(UInt8(weights == nil ? 0 : 1))
        if let weights { writer.append(floats: weights) }
        writer.append(UInt8(groups == nil ? 0 : 1))
        if let groups { writer.append(numbers: groups) }
        return writer.bytes
    }

    /// The data set that `encoded()` wrote. Bytes that are anything else throw.
    public init(decoding bytes: [UInt8]) throws(DamagedBytes) {
        try self.init(decoding: ByteStorage(copying: bytes))
    }

    /// As above, from bytes that need not be copied: a mapped file.
    package init(decoding bytes: ByteStorage) throws(DamagedBytes) {
        var reader = ByteReader(bytes, subject: "data set")
        try reader.expect(mark: Self.mark, version: Self.version)
        let rowCount = Int(try reader.read(UInt32.self))
        let featureCount = try reader.readCount(ofSize: 4)
        var names: [String] = []
        for _ in 0..<featureCount { names.append(try reader.readText()) }
        var kinds: [FeatureKind] = []
        for _ in 0..<featureCount { kinds.append(try Self.readKind(from: &reader)) }
        var columns: [[Float]] = []
        for _ in 0..<featureCount { columns.append(try reader.readFloats(rowCount)) }
        let targetName = try reader.readText()
        let target = try Self.readTarget(from: &reader, rowCount: rowCount)
        let hasWeights = try reader.readFlags(1) == [true]
        let weights = hasWeights ? try reader.readFloats(rowCount) : nil
        let hasGroups = try reader.readFlags(1) == [true]
        let groups = hasGroups ? try reader.readNumbers(rowCount) : nil
        try reader.expectEnd()
        do throws(DatasetError) {
            try self.init(
                columns: columns, featureNames: names, featureKinds: kinds, target: target,
                targetName: targetName, weights: weights, groups: groups)
        } catch {
            throw reader.damaged(error.description)
        }
    }

    static func append(_ kind: FeatureKind, to writer: inout ByteWriter) {
        switch kind {
        case .numeric:
            writer.append(UInt8(0))
        case .boolean:
            writer.append(UInt8(1))
        case .categorical(let levels):
            writer.append(UInt8(2))
            writer.append(UInt32(levels.count))
            for level in levels { writer.append(text: level) }
        }
    }

    static func readKind(
        from reader: inout ByteReader
    ) throws(DamagedBytes) -> FeatureKind {
        switch try reader.read(UInt8.self) {
        case 0: return .numeric
        case 1: return .boolean
        case 2:
            let count = try reader.readCount(ofSize: 4)
            var levels: [String] = []
            for _ in 0..<count { levels.append(try reader.readText()) }
            return .categorical(levels: levels)
        case let other: throw reader.damaged("there is no column kind \(other)")
        }
    }

    static func append(_ labels: [ClassLabel], to writer: inout ByteWriter) {
        writer.append(UInt32(labels.count))
        for label in labels {
            switch label {
            case .integer(let value):
                writer.append(UInt8(0))
                writer.append(value)
            case .string(let text):
                writer.append(UInt8(1))
                writer.append(text: text)
            }
        }
    }

    private static func readTarget(
        from reader: inout ByteReader, rowCount: Int
    ) throws(DamagedBytes) -> Target {
        if try reader.readFlags(1) == [true] { return .values(try reader.readFloats(rowCount)) }
        let labels = try readLabels(from: &reader)
        return .classes(labels: labels, indices: try reader.readNumbers(rowCount))
    }

    static func readLabels(from reader: inout ByteReader) throws(DamagedBytes) -> [ClassLabel] {
        let count = try reader.readCount(ofSize: 5, max: classCountMax)
        return try reader.readMany(count) { (reader) throws(DamagedBytes) in
            if try reader.readFlags(1) == [true] { return .string(try reader.readText()) }
            return .integer(try reader.read(Int64.self))
        }
    }
}

/// A data set inside another value is its binary form (base 64 in JSON).
extension Dataset: Codable {
    /// Decodes the binary form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(decoding: [UInt8](container.decode(Data.self)))
    }

    /// Encodes the binary form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(encoded()))
    }
}
