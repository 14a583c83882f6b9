/// What stands before the numbers of an NPY file: their type, order and shape.
///
/// The format is described in the documentation of `numpy.lib.format`.
struct NPYHeader: Equatable {
    /// How one number is stored.
    struct Element: Equatable {
        enum Kind: Character {
            case float = "f"
            case signed = "i"
            case unsigned = "u"
            case boolean = "b"
        }

        let kind: Kind
        /// Bytes.
        let size: Int
        let isBigEndian: Bool
    }

    /// The first bytes of every file.
    static let mark = Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) })
    /// Bytes of the text that describes the array; NumPy writes 128 or a few more.
    static let textLengthMax = 1 << 16

    let element: Element
    /// Columns follow each other instead of rows.
    let isColumnMajor: Bool
    let shape: [Int]

    struct Problem: Error {
        let text: String
    }

    /// Reads the text between the lengths and the numbers, which anybody may have written.
    init(_ text: [UInt8]) throws(Problem) {
        var scan = Scan(bytes: text)
        var description: String?
        var order: Bool?
        var shape: [Int]?
        try scan.expect("{")
        while !scan.skip("}") {
            let key = try scan.string()
            try scan.expect(":")
            switch key {
            case "descr" where description == nil: description = try scan.string()
            case "fortran_order" where order == nil: order = try scan.truth()
            case "shape" where shape == nil: shape = try scan.tuple()
            default: throw Problem(text: "its header has an unknown or repeated key '\(key)'")
            }
            if scan.skip(",") { continue }
            try scan.expect("}")
            break
        }
        guard let description, let order, let shape else {
            throw Problem(text: "its header lacks the type, the order or the shape")
        }
        element = try Self.element(description)
        isColumnMajor = order
        self.shape = shape
    }

    /// "<f4": the order of the bytes, the kind and the size of a number.
    private static func element(_ text: String) throws(Problem) -> Element {
        let problem = Problem(
            text: "its numbers are '\(DatasetError.shortened(text))', which is none of float32, "
                + "float64, integers and booleans")
        let characters = Array(text)
        guard characters.count == 3, let kind = Element.Kind(rawValue: characters[1]),
            let size = characters[2].wholeNumberValue, "<>=|".contains(characters[0])
        else { throw problem }
        let sizes =
            switch kind {
            case .float: [4, 8]
            case .signed, .unsigned: [1, 2, 4, 8]
            case .boolean: [1]
            }
        guard sizes.contains(size), characters[0] != "|" || size == 1 else { throw problem }
        return Element(kind: kind, size: size, isBigEndian: characters[0] == ">")
    }
}

/// Reads the few forms of Python's literals that a header is made of.
private struct Scan {
    let bytes: [UInt8]
    var at = 0

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
        guard at < bytes.count, UInt32(bytes[at]) == character.value else { return false }
        at += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(NPYHeader.Problem) {
        guard skip(character) else {
            throw NPYHeader.Problem(text: "its header has no '\(character)' at byte \(at)")
        }
    }

    mutating func string() throws(NPYHeader.Problem) -> String {
        let quote: UInt8 = skip("\"") ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        if quote == UInt8(ascii: "'") { try expect("'") }
        let start = at
        while at < bytes.count, bytes[at] != quote { at += 1 }
        guard at < bytes.count else {
            throw NPYHeader.Problem(text: "its header has an open quote")
        }
        at += 1
        return String(decoding: bytes[start..<at - 1], as: UTF8.self)
    }

    mutating func truth() throws(NPYHeader.Problem) -> Bool {
        _ = skip(" ")
        for (word, value) in [("True", true), ("False", false)]
        where bytes[at...].starts(with: Array(word.utf8)) {
            at += word.utf8.count
            return value
        }
        throw NPYHeader.Problem(text: "its header says neither True nor False at byte \(at)")
    }

    mutating func tuple() throws(NPYHeader.Problem) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !skip(")") {
            guard let number = integer(), numbers.count < 8 else {
                throw NPYHeader.Problem(text: "its header's shape is no tuple of numbers")
            }
            numbers.append(number)
            if !skip(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func integer() -> Int? {
        _ = skip(" ")
        let start = at
        while at < bytes.count, bytes[at] &- UInt8(ascii: "0") < 10 { at += 1 }
        return Int(String(decoding: bytes[start..<at], as: UTF8.self))
    }
}
