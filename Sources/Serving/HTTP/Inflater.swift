/// Unpacks deflate data (RFC 1951) into a bounded buffer.
///
/// Bit by bit over canonical Huffman codes: simple rather than fast, which suits bodies of at most
/// a few MiB. Every length and distance is checked; bytes from outside end in data or in an error.
struct Inflater {
    enum Failure: Error, Equatable {
        case malformed(String)
        /// More than the limit would come out.
        case tooLarge
    }

    private let input: UnsafeBufferPointer<UInt8>
    private let limit: Int
    private var position: Int
    private var bits: UInt32 = 0
    private var bitCount: UInt32 = 0
    private var output: [UInt8] = []

    private init(_ input: UnsafeBufferPointer<UInt8>, from start: Int, limit: Int) {
        self.input = input
        self.limit = limit
        position = start
    }

    /// The data of one deflate stream that begins at `start`, and the index of the byte after it.
    static func inflate(
        _ input: UnsafeBufferPointer<UInt8>, from start: Int, limit: Int
    ) throws(Failure) -> (data: [UInt8], end: Int) {
        var inflater = Inflater(input, from: start, limit: limit)
        inflater.output.reserveCapacity(min(limit, input.count * 4))
        while try !inflater.readBlock() {}
        return (inflater.output, inflater.position)
    }

    /// One block; true after the last one.
    private mutating func readBlock() throws(Failure) -> Bool {
        let isLast = try take(1) == 1
        switch try take(2) {
        case 0: try readStored()
        case 1: try readCodes(literals: Self.fixedLiterals, distances: Self.fixedDistances)
        case 2:
            let (literals, distances) = try readTables()
            try readCodes(literals: literals, distances: distances)
        default: throw .malformed("unknown block type")
        }
        return isLast
    }

    private mutating func take(_ count: UInt32) throws(Failure) -> Int {
        while bitCount < count {
            guard position < input.count else { throw .malformed("the data ends early") }
            bits |= UInt32(input[position]) << bitCount
            position += 1
            bitCount += 8
        }
        let value = bits & ((1 << count) - 1)
        bits >>= count
        bitCount -= count
        return Int(value)
    }

    private mutating func append(_ byte: UInt8) throws(Failure) {
        guard output.count < limit else { throw .tooLarge }
        output.append(byte)
    }

    private mutating func readStored() throws(Failure) {
        bits = 0
        bitCount = 0
        guard position + 4 <= input.count else { throw .malformed("the data ends early") }
        let length = Int(input[position]) | Int(input[position + 1]) << 8
        let inverse = Int(input[position + 2]) | Int(input[position + 3]) << 8
        position += 4
        guard length == inverse ^ 0xFFFF else { throw .malformed("a stored length is wrong") }
        guard position + length <= input.count else { throw .malformed("the data ends early") }
        guard output.count + length <= limit else { throw .tooLarge }
        output.append(contentsOf: input[position..<position + length])
        position += length
    }

    private mutating func readCodes(literals: Codes, distances: Codes) throws(Failure) {
        while true {
            let symbol = try decode(literals)
            if symbol < 256 {
                try append(UInt8(symbol))
            } else if symbol == 256 {
                return
            } else {
                try copy(symbol - 257, distances)
            }
        }
    }

    /// Repeats bytes that came out before.
    private mutating func copy(_ symbol: Int, _ distances: Codes) throws(Failure) {
        guard symbol < Self.lengthBases.count else { throw .malformed("unknown length") }
        let length = Self.lengthBases[symbol] + (try take(Self.lengthBits[symbol]))
        let code = try decode(distances)
        guard code < Self.distanceBases.count else { throw .malformed("unknown distance") }
        let distance = Self.distanceBases[code] + (try take(Self.distanceBits[code]))
        guard distance <= output.count else { throw .malformed("a distance is too far") }
        for _ in 0..<length { try append(output[output.count - distance]) }
    }

    /// The next symbol: codes of each length are consecutive numbers, so counting suffices.
    private mutating func decode(_ codes: Codes) throws(Failure) -> Int {
        var code = 0
        var first = 0
        var index = 0
        for length in 1...15 {
            code |= try take(1)
            let count = codes.counts[length]
            if code - count < first { return codes.symbols[index + (code - first)] }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        throw .malformed("an unknown code")
    }

    private mutating func readTables() throws(Failure) -> (Codes, Codes) {
        let literalCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let lengthCount = try take(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else {
            throw .malformed("too many codes")
        }
        var lengths = [Int](repeating: 0, count: 19)
        for index in 0..<lengthCount { lengths[Self.lengthOrder[index]] = try take(3) }
        let lengthCodes = try Codes(lengths)
        var all: [Int] = []
        while all.count < literalCount + distanceCount {
            let symbol = try decode(lengthCodes)
            switch symbol {
            case 16:
                guard let last = all.last else { throw .malformed("a repeat of nothing") }
                all += Array(repeating: last, count: 3 + (try take(2)))
            case 17: all += Array(repeating: 0, count: 3 + (try take(3)))
            case 18: all += Array(repeating: 0, count: 11 + (try take(7)))
            default: all.append(symbol)
            }
        }
        guard all.count == literalCount + distanceCount, all[256] > 0 else {
            throw .malformed("the code lengths do not fit")
        }
        return (
            try Codes(Array(all[..<literalCount])), try Codes(Array(all[literalCount...]))
        )
    }

    /// A canonical Huffman code: how many codes of each length, and their symbols in order.
    private struct Codes {
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int]

        /// Refuses lengths that promise more codes than there are; fewer are met only if used.
        init(_ lengths: [Int]) throws(Failure) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            var left = 1
            for length in 1...15 {
                left = left << 1 - counts[length]
                guard left >= 0 else { throw .malformed("the code lengths overlap") }
            }
            var offsets = [Int](repeating: 0, count: 17)
            for length in 1...15 { offsets[length + 1] = offsets[length] + counts[length] }
            symbols = [Int](repeating: 0, count: lengths.count)
            for (symbol, length) in lengths.enumerated() where length > 0 {
                symbols[offsets[length]] = symbol
                offsets[length] += 1
            }
        }

        /// For lengths known to be right.
        init(counts: [Int], symbols: [Int]) {
            self.counts = counts
            self.symbols = symbols
        }
    }

    /// RFC 1951, 3.2.6: lengths 8, 9, 7 and 8 for the symbols 0–143, 144–255, 256–279 and 280–287.
    private static let fixedLiterals: Codes = {
        var counts = [Int](repeating: 0, count: 16)
        (counts[7], counts[8], counts[9]) = (24, 152, 112)
        let symbols =
            Array(256...279) + Array(0...143) + Array(280...287) + Array(144...255)
        return Codes(counts: counts, symbols: symbols)
    }()

    private static let fixedDistances: Codes = {
        var counts = [Int](repeating: 0, count: 16)
        counts[5] = 30
        return Codes(counts: counts, symbols: Array(0..<30))
    }()

    private static let lengthOrder = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]
    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
    ]
    private static let lengthBits: [UInt32] = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1_025,
        1_537, 2_049, 3_073, 4_097, 6_145, 8_193, 12_289, 16_385, 24_577,
    ]
    private static let distanceBits: [UInt32] = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13,
    ]
}
