import Foundation

/// Little-endian integers out of bytes that nobody vouches for.
struct ByteReader {
    private let bytes: Data

    init(_ bytes: Data) { self.bytes = bytes }

    var count: Int { bytes.count }

    /// - Parameter offset: from the first byte, whatever the data's own indices are.
    func slice(_ offset: Int, _ count: Int) throws(ZipError) -> Data {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
            throw .malformed("it ends too early")
        }
        let start = bytes.startIndex + offset
        return bytes[start..<start + count]
    }

    func at16(_ offset: Int) throws(ZipError) -> UInt16 {
        try slice(offset, 2).reversed().reduce(0) { $0 << 8 | UInt16($1) }
    }

    func at32(_ offset: Int) throws(ZipError) -> UInt32 {
        try slice(offset, 4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The last place of a signature at or after `earliest`, looking back from `latest`.
    func lastOffset(of signature: UInt32, from latest: Int, downTo earliest: Int) -> Int? {
        let pattern = Data((0..<4).map { UInt8(truncatingIfNeeded: signature >> (8 * $0)) })
        let start = bytes.startIndex
        guard earliest >= 0, latest >= earliest, latest + 4 <= bytes.count else { return nil }
        return bytes.range(
            of: pattern, options: .backwards, in: start + earliest..<start + latest + 4
        ).map { $0.lowerBound - start }
    }
}

extension [UInt8] {
    mutating func append16(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func append32(_ value: UInt32) {
        append16(UInt16(truncatingIfNeeded: value))
        append16(UInt16(truncatingIfNeeded: value >> 16))
    }
}
