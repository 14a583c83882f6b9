/// Writes text as JSON strings, byte by byte, for log lines and replies.
package enum JSONText {
    /// Appends `text` in quotes, escaping what JSON requires and nothing else.
    ///
    /// DEL and the C1 controls are escaped too, so that a line shown in a terminal cannot steer it.
    @inlinable
    package static func appendQuoted(_ text: some StringProtocol, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        appendEscaped(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends `text` escaped, without the quotes.
    @inlinable
    package static func appendEscaped(_ text: some StringProtocol, to bytes: inout [UInt8]) {
        var lead: UInt8 = 0
        for byte in text.utf8 {
            defer { lead = byte }
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: [0x5C, 0x22])
            case UInt8(ascii: "\\"): bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: bytes.append(contentsOf: [0x5C, UInt8(ascii: "n")])
            case 0x0D: bytes.append(contentsOf: [0x5C, UInt8(ascii: "r")])
            case 0x09: bytes.append(contentsOf: [0x5C, UInt8(ascii: "t")])
            case 0x00..<0x20, 0x7F: appendCode(byte, to: &bytes)
            case 0x80..<0xA0 where lead == 0xC2:
                // U+0080...U+009F: the lead byte is already written; it is taken back.
                bytes.removeLast()
                appendCode(byte, to: &bytes)
            default: bytes.append(byte)
            }
        }
    }

    @usableFromInline
    static func appendCode(_ code: UInt8, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Array("\\u00".utf8))
        bytes.append(hexDigit(code >> 4))
        bytes.append(hexDigit(code & 15))
    }

    @usableFromInline
    static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }
}
