internal import Foundation

/// How entries stand in a spool's file: after a header that names the format, each as its length,
/// its checksum and its JSON, so that a frame cut off by a killed process is known as such.
enum SpoolFrame {
    /// The last byte is the format's version.
    static let header: [UInt8] = Array("MANTASP".utf8) + [1]
    /// Length and CRC-32, each four bytes, little-endian.
    static let prefixSize = 8
    /// A batch has at most 900 kB of JSON as MLflow writes it; ours is shorter than twice that.
    static let payloadMax = 4 << 20

    static func encode(_ entry: SpoolEntry) throws(MLflowError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let payload = try? encoder.encode(entry), payload.count <= payloadMax else {
            throw MLflowError(
                .invalidValue, operation: "keep the values", subject: "spool",
                message: "they are larger than \(payloadMax) bytes")
        }
        let bytes = [UInt8](payload)
        return littleEndian(UInt32(bytes.count)) + littleEndian(checksum(of: bytes)) + bytes
    }

    /// The entry of a payload; nil for one that no version 1 has written.
    static func decode(_ payload: [UInt8]) -> SpoolEntry? {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try? decoder.decode(SpoolEntry.self, from: Data(payload))
    }

    /// What a prefix announces; nil when no frame is that long.
    static func read(prefix: [UInt8]) -> (size: Int, checksum: UInt32)? {
        guard prefix.count == prefixSize else { return nil }
        func number(_ range: Range<Int>) -> UInt32 {
            prefix[range].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        let size = Int(number(0..<4))
        return (1...payloadMax).contains(size) ? (size, number(4..<8)) : nil
    }

    /// CRC-32 (ISO 3309).
    static func checksum(of bytes: [UInt8]) -> UInt32 {
        var value = ~UInt32(0)
        for byte in bytes { value = table[Int((value ^ UInt32(byte)) & 0xFF)] ^ (value >> 8) }
        return ~value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
        }
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
