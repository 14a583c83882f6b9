import Glibc

/// A bounded walk over JSON text in place: nothing is built, nothing is copied.
///
/// The first pass (`JSONScanner.objectFields`) checks the whole text, so that later readers meet
/// only well-formed values. Reading beyond the end gives 0, a byte no JSON token begins with. As
/// Python's parser does, the words `NaN`, `Infinity` and `-Infinity` count as numbers; who reads a
/// cell refuses them there, with its row and column.
struct JSONScanner {
    /// Why text is not JSON, in Python's words, with the byte it was noticed at.
    struct Fault: Error, Equatable {
        let offset: Int
        let message: String
        /// True when brackets were nested deeper than allowed: 400 rather than 422.
        var isTooDeep = false
    }

    /// What a value starts like.
    enum Kind {
        case object, array, string, number, boolean, null
    }

    let bytes: UnsafeBufferPointer<UInt8>
    let depthMax: Int
    var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, depthMax: Int = 64) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    /// The byte at the position, 0 beyond the end.
    var current: UInt8 { byte(at: position) }

    func byte(at index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    mutating func skipSpace() {
        while true {
            switch current {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// The kind of the value at the position; only for text that has been checked.
    var kind: Kind {
        switch current {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// Steps over the value at the position and returns where it stood.
    mutating func skipValue(depth: Int = 1) throws(Fault) -> Range<Int> {
        let start = position
        switch current {
        case UInt8(ascii: "{"): try skipObject(depth: depth)
        case UInt8(ascii: "["): try skipArray(depth: depth)
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        default: try skipWord()
        }
        return start..<position
    }

    private mutating func skipArray(depth: Int) throws(Fault) {
        try checkDepth(depth)
        position += 1
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return
        }
        while true {
            _ = try skipValue(depth: depth + 1)
            skipSpace()
            if current == UInt8(ascii: "]") { break }
            guard current == UInt8(ascii: ",") else { throw fault("Expecting ',' delimiter") }
            let comma = position
            position += 1
            skipSpace()
            if current == UInt8(ascii: "]") {
                throw Fault(offset: comma, message: "Illegal trailing comma before end of array")
            }
        }
        position += 1
    }

    private mutating func skipObject(depth: Int) throws(Fault) {
        try walkObject(depth: depth) { _, _ in }
    }

    /// Steps over the object at the position, telling each key's and value's place.
    mutating func walkObject(
        depth: Int, _ visit: (_ key: Range<Int>, _ value: Range<Int>) -> Void
    ) throws(Fault) {
        try checkDepth(depth)
        position += 1
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            guard current == UInt8(ascii: "\"") else {
                throw fault("Expecting property name enclosed in double quotes")
            }
            let keyStart = position
            try skipString()
            let key = keyStart..<position
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw fault("Expecting ':' delimiter") }
            position += 1
            skipSpace()
            visit(key, try skipValue(depth: depth + 1))
            skipSpace()
            if current == UInt8(ascii: "}") { break }
            guard current == UInt8(ascii: ",") else { throw fault("Expecting ',' delimiter") }
            let comma = position
            position += 1
            skipSpace()
            if current == UInt8(ascii: "}") {
                throw Fault(offset: comma, message: "Illegal trailing comma before end of object")
            }
        }
        position += 1
    }

    private func checkDepth(_ depth: Int) throws(Fault) {
        if depth > depthMax {
            throw Fault(
                offset: position, message: "nested more than \(depthMax) deep", isTooDeep: true)
        }
    }

    private mutating func skipString() throws(Fault) {
        let start = position
        position += 1
        while true {
            let byte = current
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try skipEscape()
            case 0x00..<0x20:
                if position >= bytes.count {
                    throw Fault(offset: start, message: "Unterminated string starting at")
                }
                throw fault("Invalid control character at")
            default: position += 1
            }
        }
    }

    private mutating func skipEscape() throws(Fault) {
        let start = position
        position += 1
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            for index in 1...4 where Self.hexValue(byte(at: position + index)) == nil {
                throw Fault(offset: start + 1, message: "Invalid \\uXXXX escape")
            }
            position += 5
        default: throw Fault(offset: start, message: "Invalid \\escape")
        }
    }

    private mutating func skipNumber() throws(Fault) {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "I") { return try skip(word: "Infinity", from: start) }
        let first = current
        guard skipDigits() > 0 else { throw Fault(offset: start, message: "Expecting value") }
        // A leading zero stands alone: in "01" the number ends before the 1, where no digit may
        // follow.
        if first == UInt8(ascii: "0") {
            position = start + (bytes[start] == UInt8(ascii: "-") ? 2 : 1)
        }
        if current == UInt8(ascii: "."), Self.isDigit(byte(at: position + 1)) {
            position += 1
            skipDigits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            let next = byte(at: position + 1)
            let isSigned = next == UInt8(ascii: "+") || next == UInt8(ascii: "-")
            guard Self.isDigit(byte(at: position + (isSigned ? 2 : 1))) else { return }
            position += isSigned ? 2 : 1
            skipDigits()
        }
    }

    @discardableResult
    private mutating func skipDigits() -> Int {
        let start = position
        while Self.isDigit(current) { position += 1 }
        return position - start
    }

    private mutating func skipWord() throws(Fault) {
        switch current {
        case UInt8(ascii: "t"): try skip(word: "true", from: position)
        case UInt8(ascii: "f"): try skip(word: "false", from: position)
        case UInt8(ascii: "n"): try skip(word: "null", from: position)
        case UInt8(ascii: "N"): try skip(word: "NaN", from: position)
        case UInt8(ascii: "I"): try skip(word: "Infinity", from: position)
        default: throw fault("Expecting value")
        }
    }

    private mutating func skip(word: StaticString, from start: Int) throws(Fault) {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte(at: position + index) == word.utf8Start[index] else {
                throw Fault(offset: start, message: "Expecting value")
            }
        }
        position += word.utf8CodeUnitCount
    }

    private func fault(_ message: String) -> Fault {
        Fault(offset: min(position, bytes.count), message: message)
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
