/// Bytes that are not what their format says: where reading stopped and why.
public struct DamagedBytes: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the bytes should be: "data set", "trees".
    public let subject: String
    /// How far reading came.
    public let offset: Int
    /// What is wrong there.
    public let problem: String

    /// "The data set is damaged at byte 12: 3 more bytes were expected."
    public var description: String { "The \(subject) is damaged at byte \(offset): \(problem)." }
}

/// Appends numbers in little-endian order.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(text: String) {
        let utf8 = Array(text.utf8)
        append(UInt32(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    mutating func append(numbers: [Int32]) {
        bytes.reserveCapacity(bytes.count + numbers.count * 4)
        for number in numbers { append(number) }
    }

    /// NaN is written with one bit pattern, so that equal data has equal bytes.
    mutating func append(floats: [Float]) {
        bytes.reserveCapacity(bytes.count + floats.count * 4)
        let patterns = floats.map {
            ($0.isNaN ? Float.nan.bitPattern : $0.bitPattern).littleEndian
        }
        patterns.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    mutating func append(flags: [Bool]) {
        bytes.append(contentsOf: flags.map { $0 ? 1 : 0 })
    }
}

/// Reads what `ByteWriter` wrote, from bytes that nobody vouches for.
///
/// Counts are held against the bytes that are left before anything is allocated.
struct ByteReader {
    let subject: String
    private let storage: ByteStorage
    private(set) var offset = 0

    init(_ bytes: [UInt8], subject: String) {
        self.init(ByteStorage(copying: bytes), subject: subject)
    }

    init(_ storage: ByteStorage, subject: String) {
        self.storage = storage
        self.subject = subject
    }

    var remaining: Int { storage.count - offset }

    func damaged(_ problem: String) -> DamagedBytes {
        DamagedBytes(subject: subject, offset: offset, problem: problem)
    }

    mutating func read<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(DamagedBytes) -> Number {
        let size = MemoryLayout<Number>.size
        try need(size)
        defer { offset += size }
        return storage.withBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
    }

    /// A count of things that take at least `size` bytes each.
    mutating func readCount(ofSize size: Int, max: Int = .max) throws(DamagedBytes) -> Int {
        let count = Int(try read(UInt32.self))
        guard count <= max else { throw damaged("a count of \(count), at most \(max) allowed") }
        guard count <= remaining / size else {
            throw damaged("a count of \(count) where \(remaining) bytes are left")
        }
        return count
    }

    mutating func readText() throws(DamagedBytes) -> String {
        let count = try readCount(ofSize: 1)
        defer { offset += count }
        let text = storage.withBytes {
            String(validating: $0[offset..<offset + count], as: UTF8.self)
        }
        guard let text else { throw damaged("text that is not UTF-8") }
        return text
    }

    mutating func readNumbers(_ count: Int) throws(DamagedBytes) -> [Int32] {
        try readWords(count).map { Int32(bitPattern: $0) }
    }

    mutating func readFloats(_ count: Int) throws(DamagedBytes) -> [Float] {
        try readWords(count).map { Float(bitPattern: $0) }
    }

    mutating func readFlags(_ count: Int) throws(DamagedBytes) -> [Bool] {
        try need(count)
        let flags = storage.withBytes { Array($0[offset..<offset + count]) }
        guard flags.allSatisfy({ $0 <= 1 }) else { throw damaged("a flag that is neither 0 nor 1") }
        offset += count
        return flags.map { $0 == 1 }
    }

    /// As many things as given, one after the other.
    mutating func readMany<Element>(
        _ count: Int, _ read: (inout ByteReader) throws(DamagedBytes) -> Element
    ) throws(DamagedBytes) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    /// Goes on at a later byte; those in between must be zeros.
    mutating func skip(to start: Int) throws(DamagedBytes) {
        guard start >= offset, start - offset <= remaining else {
            throw damaged("\(start) bytes expected before the next section")
        }
        guard storage.withBytes({ $0[offset..<start].allSatisfy { $0 == 0 } }) else {
            throw damaged("bytes between two sections are not zero")
        }
        offset = start
    }

    func expectEnd() throws(DamagedBytes) {
        guard remaining == 0 else { throw damaged("\(remaining) bytes too many") }
    }

    /// A format's first bytes: its mark, then its version.
    mutating func expect(mark: String, version: UInt32) throws(DamagedBytes) {
        let expected = Array(mark.utf8)
        guard storage.withBytes({ $0.starts(with: expected) }) else {
            throw damaged("it does not start with \(mark)")
        }
        offset = expected.count
        let found = try read(UInt32.self)
        guard found == version else {
            throw damaged("version \(found) is unknown, this program reads version \(version)")
        }
    }

    private mutating func readWords(_ count: Int) throws(DamagedBytes) -> [UInt32] {
        guard count >= 0, count <= remaining / 4 else { throw damaged("\(count) numbers expected") }
        let start = offset
        offset += count * 4
        return [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
            storage.withBytes { source in
                for index in 0..<count {
                    let word = source.loadUnaligned(
                        fromByteOffset: start + index * 4, as: UInt32.self)
                    buffer.initializeElement(at: index, to: UInt32(littleEndian: word))
                }
            }
            initialized = count
        }
    }

    private func need(_ count: Int) throws(DamagedBytes) {
        guard count <= remaining else {
            throw damaged("\(count) bytes expected, \(remaining) are left")
        }
    }
}
