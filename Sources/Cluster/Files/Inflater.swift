import Foundation

/// Unpacks deflate streams (RFC 1951), the form in which most zip files keep their entries.
///
/// Bytes that nobody vouches for: every index is checked, and never more is written than the size
/// that was promised. Two steps per symbol at most: a table of the short codes, and for the rare
/// long ones the canonical code bit by bit, so that a code costs little to prepare.
struct Inflater {
    /// A deflate stream cannot hold more than this many bytes per byte of its own.
    static let ratioMax = 1_032

    private var bits: BitReader
    private var output: [UInt8]
    private let size: Int

    /// - Returns: exactly `size` bytes.
    /// - Throws: `ZipError` when the stream is damaged or holds another number of bytes.
    static func inflate(_ bytes: Data, size: Int) throws(ZipError) -> [UInt8] {
        guard size >= 0, size <= (bytes.count + 1) * ratioMax else {
            throw .malformed("\(bytes.count) bytes cannot hold \(size)")
        }
        var inflater = Inflater(bytes, size: size)
        try inflater.run()
        guard inflater.output.count == size else {
            throw .malformed("an entry holds fewer bytes than it says")
        }
        return inflater.output
    }

    private init(_ bytes: Data, size: Int) {
        bits = BitReader([UInt8](bytes))
        output = []
        output.reserveCapacity(size)
        self.size = size
    }

    private mutating func run() throws(ZipError) {
        var isLast = false
        while !isLast {
            isLast = try bits.take(1) == 1
            switch try bits.take(2) {
            case 0: try copyStored()
            case 1: try expand(Inflater.fixed)
            case 2: try expand(try readCodes())
            default: throw .malformed("an entry has a block of no known kind")
            }
        }
    }

    private mutating func copyStored() throws(ZipError) {
        bits.skipToByte()
        let count = try bits.take(16)
        guard try bits.take(16) == count ^ 0xFFFF else {
            throw .malformed("an entry has a damaged block")
        }
        guard count <= size - output.count else { throw Inflater.tooLong }
        for _ in 0..<count { output.append(UInt8(truncatingIfNeeded: try bits.take(8))) }
    }

    /// One block's symbols: bytes, and copies of what was written before.
    private mutating func expand(_ codes: Codes) throws(ZipError) {
        while true {
            let symbol = try codes.literals.next(&bits)
            if symbol < 256 {
                guard output.count < size else { throw Inflater.tooLong }
                output.append(UInt8(truncatingIfNeeded: symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Inflater.lengths.count else { throw HuffmanCode.damaged }
            let length = try value(Inflater.lengths[symbol - 257])
            let place = try codes.distances.next(&bits)
            guard place < Inflater.distances.count else { throw HuffmanCode.damaged }
            try repeatBytes(length, from: try value(Inflater.distances[place]))
        }
    }

    private mutating func value(_ range: (base: Int, extra: Int)) throws(ZipError) -> Int {
        range.base + (try bits.take(range.extra))
    }

    private mutating func repeatBytes(_ count: Int, from distance: Int) throws(ZipError) {
        guard distance <= output.count else {
            throw .malformed("an entry refers to bytes before its begin")
        }
        guard count <= size - output.count else { throw Inflater.tooLong }
        // Byte by byte: the copy may overlap what it makes.
        var from = output.count - distance
        for _ in 0..<count {
            output.append(output[from])
            from += 1
        }
    }

    /// The codes of a block that brings its own (RFC 1951, 3.2.7).
    private mutating func readCodes() throws(ZipError) -> Codes {
        let literalCount = try bits.take(5) + 257
        let distanceCount = try bits.take(5) + 1
        let lengthCount = try bits.take(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else { throw HuffmanCode.damaged }
        var order = [UInt8](repeating: 0, count: 19)
        for index in 0..<lengthCount {
            order[Inflater.lengthOrder[index]] = UInt8(truncatingIfNeeded: try bits.take(3))
        }
        let lengthCode = try HuffmanCode(order[...])
        var lengths: [UInt8] = []
        while lengths.count < literalCount + distanceCount {
            try appendLengths(try lengthCode.next(&bits), to: &lengths)
        }
        guard lengths.count == literalCount + distanceCount, lengths[256] != 0 else {
            throw HuffmanCode.damaged
        }
        return Codes(
            literals: try HuffmanCode(lengths[..<literalCount]),
            distances: try HuffmanCode(lengths[literalCount...]))
    }

    private mutating func appendLengths(
        _ symbol: Int, to lengths: inout [UInt8]
    ) throws(ZipError) {
        switch symbol {
        case 0..<16: lengths.append(UInt8(symbol))
        case 16:
            guard let last = lengths.last else { throw HuffmanCode.damaged }
            lengths.append(contentsOf: repeatElement(last, count: try bits.take(2) + 3))
        case 17: lengths.append(contentsOf: repeatElement(0, count: try bits.take(3) + 3))
        default: lengths.append(contentsOf: repeatElement(0, count: try bits.take(7) + 11))
        }
    }

    private static let tooLong = ZipError.malformed("an entry holds more bytes than it says")

    private struct Codes {
        let literals: HuffmanCode
        let distances: HuffmanCode
    }

    private static let fixed = Codes(
        literals: HuffmanCode(
            complete: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }),
        distances: HuffmanCode(complete: Array(repeating: 5, count: 32)))

    /// In which order a block tells the lengths of the code that its lengths are written in.
    private static let lengthOrder = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    /// The least length of each symbol from 257 on, and how many bits are added to it.
    private static let lengths: [(base: Int, extra: Int)] =
        ranges(from: 3, extras: [0] + Array(0..<6), perExtra: 4) + [(258, 0)]

    private static let distances = ranges(from: 1, extras: [0] + Array(0..<14), perExtra: 2)

    /// Consecutive ranges; `perExtra` of each number of extra bits.
    private static func ranges(
        from start: Int, extras: [Int], perExtra: Int
    ) -> [(base: Int, extra: Int)] {
        var base = start
        return extras.flatMap { extra in
            (0..<perExtra).map { _ in
                defer { base += 1 << extra }
                return (base, extra)
            }
        }
    }
}

/// Bits of a byte string, least significant first; past the end there are none.
private struct BitReader {
    private let bytes: [UInt8]
    private var position = 0
    private var buffer: UInt64 = 0
    private var count = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter wanted: at most 16.
    mutating func take(_ wanted: Int) throws(ZipError) -> Int {
        fill()
        guard wanted <= count else { throw .malformed("an entry ends too early") }
        let value = Int(buffer & (1 << UInt64(wanted) - 1))
        drop(wanted)
        return value
    }

    /// The next bits without taking them; zeros where there are none any more.
    mutating func peek(_ wanted: Int) -> Int {
        fill()
        return Int(buffer & (1 << UInt64(wanted) - 1))
    }

    /// Takes bits that were looked at.
    mutating func skip(_ wanted: Int) throws(ZipError) {
        guard wanted <= count else { throw .malformed("an entry ends too early") }
        drop(wanted)
    }

    mutating func skipToByte() { drop(count & 7) }

    private mutating func drop(_ wanted: Int) {
        buffer >>= UInt64(wanted)
        count -= wanted
    }

    private mutating func fill() {
        while count <= 48, position < bytes.count {
            buffer |= UInt64(bytes[position]) << UInt64(count)
            position += 1
            count += 8
        }
    }
}

/// A canonical Huffman code of at most 15 bits (RFC 1951, 3.2.2).
private struct HuffmanCode {
    static let damaged = ZipError.malformed("an entry has a damaged code")
    private static let fastBits = 9

    /// Codes of each length.
    private var counts = [Int](repeating: 0, count: 16)
    /// By length, then by value.
    private var symbols: [UInt16] = []
    /// `symbol << 4 | length` for what begins with a code of at most `fastBits`; 0 for longer ones.
    private var fast = [UInt16](repeating: 0, count: 1 << HuffmanCode.fastBits)

    /// - Parameter lengths: of each symbol's code, 0 for those that do not occur.
    /// - Throws: `ZipError` when no code has these lengths. One of a single symbol may leave room.
    init(_ lengths: ArraySlice<UInt8>) throws(ZipError) {
        var left = 1
        var counts = [Int](repeating: 0, count: 16)
        for length in lengths { counts[Int(length)] += 1 }
        for length in 1...15 {
            left = left << 1 - counts[length]
            guard left >= 0 else { throw HuffmanCode.damaged }
        }
        guard left == 0 || lengths.count(where: { $0 != 0 }) <= 1 else {
            throw HuffmanCode.damaged
        }
        self.init(complete: Array(lengths))
    }

    /// - Parameter lengths: known to make a code.
    init(complete lengths: [UInt8]) {
        for length in lengths where length > 0 { counts[Int(length)] += 1 }
        var next = [Int](repeating: 0, count: 17)
        var offset = [Int](repeating: 0, count: 17)
        for length in 1...15 {
            next[length + 1] = (next[length] + counts[length]) << 1
            offset[length + 1] = offset[length] + counts[length]
        }
        symbols = [UInt16](repeating: 0, count: offset[16])
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            symbols[offset[length]] = UInt16(symbol)
            offset[length] += 1
            if length <= HuffmanCode.fastBits {
                enter(UInt16(symbol), code: next[length], length: length)
            }
            next[length] += 1
        }
    }

    /// Codes stand in the stream with their first bit lowest.
    private mutating func enter(_ symbol: UInt16, code: Int, length: Int) {
        let first = (0..<length).reduce(0) { $0 | (code >> $1 & 1) << (length - 1 - $1) }
        for index in stride(from: first, to: fast.count, by: 1 << length) {
            fast[index] = symbol << 4 | UInt16(length)
        }
    }

    func next(_ bits: inout BitReader) throws(ZipError) -> Int {
        let entry = fast[bits.peek(HuffmanCode.fastBits)]
        if entry != 0 {
            try bits.skip(Int(entry & 15))
            return Int(entry >> 4)
        }
        var (code, first, index) = (0, 0, 0)
        for length in 1...15 {
            code |= try bits.take(1)
            let count = counts[length]
            if code - first < count { return Int(symbols[index + code - first]) }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        throw HuffmanCode.damaged
    }
}
