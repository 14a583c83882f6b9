/// The label that ties a request to its log lines and its reply: `X-Request-ID`.
///
/// It is only ever shown, never part of a path or a key.
package struct RequestLabel: Sendable, Hashable, CustomStringConvertible {
    /// The label's text, safe in a header and in a log line.
    package let description: String

    /// Takes the caller's label if it is one (1 to 128 of `A-Za-z0-9._-`), else makes a new one.
    package init(header: String?) {
        if let header, Self.isAcceptable(header) {
            description = header
        } else {
            description = Self.makeUUIDv7(at: .now())
        }
    }

    /// True for `[A-Za-z0-9._-]{1,128}`.
    package static func isAcceptable(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...128).contains(bytes.count) else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }

    /// A time-ordered UUID (RFC 9562, version 7): 48 bits of milliseconds, 74 bits of chance.
    package static func makeUUIDv7(at time: WallTime) -> String {
        var generator = SystemRandomNumberGenerator()
        let high =
            UInt64(truncatingIfNeeded: time.microseconds / 1_000) << 16
            | 0x7000 | (generator.next() & 0x0FFF)
        let low = (generator.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 {
                bytes.append(UInt8(ascii: "-"))
            }
            let word = index < 16 ? high : low
            let nibble = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(index % 16))) & 15
            bytes.append(JSONText.hexDigit(nibble))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
