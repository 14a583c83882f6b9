/// Little-endian integers out of bytes that nobody vouches for.
struct ByteReader {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func slice(_ offset: Int, _ count: Int) throws(ZipError) -> ArraySlice<UInt8> {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
            throw .malformed("it ends too early")
        }
        return bytes[offset..<offset + count]
    }

    func at16(_ offset: Int) throws(ZipError) -> UInt16 {
        try slice(offset, 2).reversed().reduce(0) { $0 << 8 | UInt16($1) }
    }

    func at32(_ offset: Int) throws(ZipError) -> UInt32 {
        try slice(offset, 4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Nil outside the bytes.
    func u32(_ offset: Int) -> UInt32? { try? at32(offset) }
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
