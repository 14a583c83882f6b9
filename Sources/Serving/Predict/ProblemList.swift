/// A step of a problem's location: a key of an object or an index of a list.
enum LocationPart: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, Equatable {
    case name(String)
    case index(Int)

    init(stringLiteral value: String) { self = .name(value) }
    init(integerLiteral value: Int) { self = .index(value) }
}

/// What is wrong with a body, in FastAPI's form: `{"detail": [{type, loc, msg, input, ctx?}, …]}`.
///
/// At most 100 entries within 64 KiB; the last one says how many problems it leaves out. Entries
/// are written as they come, so that a body full of mistakes costs no more memory than one of them.
struct ProblemList {
    /// The value a problem shows back: nothing, or a piece of the body.
    enum Input {
        case null
        case emptyObject
        case piece(Range<Int>, of: JSONScanner)
        case text(String)
    }

    /// The bounds a problem names, under `ctx`.
    enum Context {
        case none
        case length(bound: String, Int, actual: Int)
        case error(String)
    }

    static let shownMax = 100
    static let bytesMax = 64 << 10
    /// What one entry can need: 1 KiB of input, every byte escaped to six, and its names.
    private static let entryBytesMax = 8 << 10

    private(set) var count = 0
    private var shownCount = 0
    private var writer = JSONWriter(capacity: 256)
    private var isFull = false

    var isEmpty: Bool { count == 0 }

    init() {
        writer.openObject()
        writer.key("detail")
        writer.openArray()
    }

    mutating func add(
        _ type: StaticString, at location: @autoclosure () -> [LocationPart],
        _ message: @autoclosure () -> String, input: @autoclosure () -> Input,
        context: @autoclosure () -> Context = .none
    ) {
        count += 1
        guard !isFull else { return }
        shownCount += 1
        write(type, location(), message(), input(), context())
        // The last place is kept for the line that says how many more there are.
        isFull =
            shownCount >= Self.shownMax - 1
            || writer.bytes.count > Self.bytesMax - 2 * Self.entryBytesMax
    }

    /// The reply's body.
    mutating func finish() -> [UInt8] {
        if count > shownCount {
            let more = count - shownCount
            write(
                "too_many_problems", ["body"],
                "\(more) more problem\(more == 1 ? "" : "s") not listed", .null, .none)
        }
        writer.closeArray()
        writer.closeObject()
        return writer.bytes
    }

    private mutating func write(
        _ type: StaticString, _ location: [LocationPart], _ message: String, _ input: Input,
        _ context: Context
    ) {
        writer.openObject()
        writer.field("type", type.description)
        writer.key("loc")
        writer.openArray()
        for part in location {
            switch part {
            case .name(let name): writer.string(Echo.cut(name, to: 256))
            case .index(let index): writer.integer(index)
            }
        }
        writer.closeArray()
        writer.field("msg", message)
        writer.key("input")
        write(input)
        write(context)
        writer.closeObject()
    }

    private mutating func write(_ input: Input) {
        switch input {
        case .null: writer.null()
        case .emptyObject: writer.raw("{}".utf8)
        case .piece(let range, let scanner): writer.raw(Echo.json(of: range, in: scanner))
        case .text(let text): writer.string(Echo.cut(text, to: Echo.bytesMax))
        }
    }

    private mutating func write(_ context: Context) {
        switch context {
        case .none: return
        case .length(let bound, let value, let actual):
            writer.key("ctx")
            writer.openObject()
            writer.field("field_type", "List")
            writer.key(bound)
            writer.integer(value)
            writer.key("actual_length")
            writer.integer(actual)
            writer.closeObject()
        case .error(let text):
            writer.key("ctx")
            writer.openObject()
            writer.field("error", text)
            writer.closeObject()
        }
    }
}

/// Showing a piece of a hostile body back: short, and always valid JSON.
enum Echo {
    /// Bytes of a body shown back in one problem.
    static let bytesMax = 1 << 10

    /// The piece as it stands if it is short; else its beginning as a string.
    ///
    /// `NaN`, `Infinity` and numbers beyond Double become strings: a reply never holds what a
    /// strict reader refuses.
    static func json(of range: Range<Int>, in scanner: JSONScanner) -> [UInt8] {
        let piece = UnsafeBufferPointer(rebasing: scanner.bytes[range])
        var json: [UInt8] = []
        guard piece.count <= bytesMax else {
            // Quoted first, so that the cut is made in readable text and the result is a JSON
            // string.
            let text = String(decoding: piece.prefix(bytesMax), as: UTF8.self)
            var writer = JSONWriter(capacity: bytesMax + 64)
            writer.string(cut(text, to: bytesMax - 8) + "…")
            return writer.bytes
        }
        var walker = scanner
        walker.position = range.lowerBound
        while walker.position < range.upperBound {
            appendToken(of: &walker, to: &json)
        }
        return json
    }

    private static func appendToken(of walker: inout JSONScanner, to json: inout [UInt8]) {
        switch walker.current {
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
            json.append(walker.current)
            walker.position += 1
        case UInt8(ascii: "\""), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            json.append(contentsOf: walker.bytes[walker.passValue()])
        default:
            let number = walker.passValue()
            let isPlain = walker.number(in: number).isFinite
            if !isPlain { json.append(UInt8(ascii: "\"")) }
            json.append(contentsOf: walker.bytes[number])
            if !isPlain { json.append(UInt8(ascii: "\"")) }
        }
    }

    /// The longest beginning of `text` within so many bytes that ends between two scalars.
    static func cut(_ text: String, to bytes: Int) -> Substring {
        guard text.utf8.count > bytes else { return text[...] }
        var end = text.utf8.index(text.startIndex, offsetBy: bytes)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end]
    }
}
