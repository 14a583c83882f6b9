#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Searches for single bytes, many at once.
enum TextSearch {
    /// Where `byte` first stands in `range`.
    static func first(
        _ byte: UInt8, in bytes: UnsafePointer<UInt8>, _ range: Range<Int>
    ) -> Int? {
        guard !range.isEmpty else { return nil }
        let start = UnsafeRawPointer(bytes + range.lowerBound)
        guard let found = memchr(start, Int32(byte), range.count) else { return nil }
        return range.lowerBound + (UnsafeRawPointer(found) - start)
    }

    /// Where `byte` last stands in `range`. Lines are short, so the walk from the end is, too.
    static func last(
        _ byte: UInt8, in bytes: UnsafePointer<UInt8>, _ range: Range<Int>
    ) -> Int? {
        var at = range.upperBound
        while at > range.lowerBound {
            at -= 1
            if bytes[at] == byte { return at }
        }
        return nil
    }

    /// Where the quote that closes a cell stands; `range` starts behind the opening one.
    static func closingQuote(in bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
        var at = range.lowerBound
        while let quote = first(CSVByte.quote, in: bytes, at..<range.upperBound) {
            guard quote + 1 < range.upperBound, bytes[quote + 1] == CSVByte.quote else {
                return quote
            }
            at = quote + 2
        }
        return nil
    }

    /// The first delimiter, line feed or carriage return from `start` on.
    ///
    /// There must be one, and 8 bytes behind it must be readable.
    @inline(__always)
    static func endOfCell(
        _ start: UnsafePointer<UInt8>, delimiter: UInt8
    ) -> UnsafePointer<UInt8> {
        var at = start
        while true {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
            let found =
                matches(word, delimiter) | matches(word, CSVByte.lineFeed)
                | matches(word, CSVByte.carriageReturn)
            if found != 0 { return at + found.trailingZeroBitCount &>> 3 }
            at += 8
        }
    }

    /// The high bit of each byte that equals `byte`; above the first such byte others may be set.
    @inline(__always)
    private static func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let other = word ^ (ones &* UInt64(byte))
        return (other &- ones) & ~other & (ones &<< 7)
    }
}
