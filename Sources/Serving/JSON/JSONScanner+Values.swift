/// Reading single values out of text that a first pass has found well-formed.
extension JSONScanner {
    /// Steps over the value at the position, which is known to be well-formed.
    mutating func passValue() -> Range<Int> {
        do {
            return try skipValue()
        } catch {
            // Only reached if a reader was handed unchecked text: end the walk instead of looping.
            position = bytes.count
            return position..<position
        }
    }

    /// Steps from one element of an array to the next; false after the last one.
    ///
    /// Call with the position on `[` or, later, just after an element.
    mutating func nextElement(isFirst: Bool) -> Bool {
        skipSpace()
        guard isFirst || current == UInt8(ascii: ",") else {
            position += 1
            return false
        }
        position += 1
        skipSpace()
        if isFirst, current == UInt8(ascii: "]") || position >= bytes.count {
            position += 1
            return false
        }
        return position < bytes.count
    }

    /// The text of the string literal in `range`, its escapes resolved.
    ///
    /// A lone surrogate becomes U+FFFD, as no Swift string can hold one.
    func text(in range: Range<Int>) -> String {
        let inner = (range.lowerBound + 1)..<max(range.lowerBound + 1, range.upperBound - 1)
        let slice = UnsafeBufferPointer(rebasing: bytes[inner])
        guard slice.contains(UInt8(ascii: "\\")) else {
            return String(decoding: slice, as: UTF8.self)
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(slice.count)
        var index = inner.lowerBound
        while index < inner.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                plain.append(bytes[index])
                index += 1
                continue
            }
            index = appendEscape(at: index, to: &plain)
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// Appends what the escape at `index` stands for and returns the index after it.
    private func appendEscape(at index: Int, to plain: inout [UInt8]) -> Int {
        switch byte(at: index + 1) {
        case UInt8(ascii: "n"): plain.append(0x0A)
        case UInt8(ascii: "r"): plain.append(0x0D)
        case UInt8(ascii: "t"): plain.append(0x09)
        case UInt8(ascii: "b"): plain.append(0x08)
        case UInt8(ascii: "f"): plain.append(0x0C)
        case UInt8(ascii: "u"): return appendCode(at: index, to: &plain)
        case let other: plain.append(other)
        }
        return index + 2
    }

    private func appendCode(at index: Int, to plain: inout [UInt8]) -> Int {
        let high = code(at: index + 2)
        var scalar = high
        var end = index + 6
        if (0xD800..<0xDC00).contains(high), byte(at: end) == UInt8(ascii: "\\"),
            byte(at: end + 1) == UInt8(ascii: "u")
        {
            let low = code(at: end + 2)
            if (0xDC00..<0xE000).contains(low) {
                scalar = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                end += 6
            }
        }
        let character = Unicode.Scalar(scalar) ?? "\u{FFFD}"
        plain.append(contentsOf: String(Character(character)).utf8)
        return end
    }

    private func code(at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | (Self.hexValue(byte(at: index + $1)) ?? 0) }
    }

    /// The number literal in `range` as the nearest Double; not finite for `NaN`, `Infinity`,
    /// `1e999`.
    func number(in range: Range<Int>) -> Double {
        JSONNumber.value(of: UnsafeBufferPointer(rebasing: bytes[range]))
    }

    /// The number of Unicode scalars before `offset`: what Python calls a position.
    func characterOffset(of offset: Int) -> Int {
        bytes[..<min(offset, bytes.count)].reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
    }

    /// True when the bytes are UTF-8; ASCII is recognised eight bytes at a time.
    var isUTF8: Bool {
        let raw = UnsafeRawBufferPointer(bytes)
        var index = 0
        while index + 8 <= raw.count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        while index < raw.count, raw[index] < 0x80 { index += 1 }
        if index == raw.count { return true }
        return String(validating: bytes[index...], as: UTF8.self) != nil
    }
}
