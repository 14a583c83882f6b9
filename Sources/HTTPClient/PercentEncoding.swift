/// RFC 3986 percent-encoding: every byte outside the unreserved set is escaped, so that a value
/// from outside stays inside the path segment or query item it was put in.
package enum PercentEncoding {
    /// One path segment. `/`, `?`, `#` and `%` in it are escaped; `.` and `..` come back as they
    /// are, so a caller that takes segments from outside must refuse those two.
    package static func segment(_ text: String) -> String {
        encode(text)
    }

    /// A path given as segments, joined by `/`.
    package static func path(_ segments: some Sequence<String>) -> String {
        segments.map(encode).joined(separator: "/")
    }

    /// `a=1&b=x%20y`, without the `?`.
    package static func query(_ items: KeyValuePairs<String, String>) -> String {
        query(items.map { ($0.key, $0.value) })
    }

    package static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { encode($0.name) + "=" + encode($0.value) }.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexDigits[Int(byte >> 4)])
                bytes.append(hexDigits[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }
}
