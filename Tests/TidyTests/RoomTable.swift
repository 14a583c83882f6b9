import Foundation

/// The room table of Package.swift, read as text: what each room says that it uses.
struct RoomTable {
    struct Room {
        let name: String
        /// Other rooms and C modules.
        let uses: Set<String>
        /// Third-party modules.
        let products: Set<String>
    }

    let rooms: [Room]
    let cModules: Set<String>

    enum ParseError: Error {
        case noTable(String)
        case unknownProduct(String)
    }

    init() throws { try self.init(manifest: try Repository.text(of: "Package.swift")) }

    init(manifest: String) throws {
        let modules = RoomTable.productModules(in: manifest)
        let table = try RoomTable.section(of: manifest, from: "let rooms: [Room] = [", to: "\n]\n")
        rooms = try RoomTable.entries(in: table).map { entry in
            Room(
                name: RoomTable.strings(in: RoomTable.argument("name", of: entry)).first ?? "",
                uses: Set(RoomTable.strings(in: RoomTable.argument("uses", of: entry))),
                products: Set(
                    try RoomTable.cases(in: RoomTable.argument("products", of: entry)).map {
                        guard let module = modules[$0] else { throw ParseError.unknownProduct($0) }
                        return module
                    }))
        }
        let declared = try RoomTable.section(of: manifest, from: "let cModules", to: "\n]\n")
        cModules = Set(declared.matches(of: /"(C\w+)": \.systemLibrary/).map { String($0.1) })
    }

    private static func section(
        of text: String, from start: String, to end: String
    ) throws -> Substring {
        guard let from = text.range(of: start),
            let to = text.range(of: end, range: from.upperBound..<text.endIndex)
        else { throw ParseError.noTable(start) }
        return text[from.upperBound..<to.lowerBound]
    }

    /// `case nioCore = "NIOCore"` as nioCore → NIOCore.
    private static func productModules(in manifest: String) -> [String: String] {
        Dictionary(
            manifest.matches(of: /case (\w+) = "(\w+)"/).map { (String($0.1), String($0.2)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The text between the parentheses of each `Room(…)`.
    private static func entries(in table: Substring) -> [Substring] {
        table.ranges(of: "Room(").map { range in
            let end = balancedEnd(in: table, after: range.upperBound, open: "(", close: ")")
            return table[range.upperBound..<end]
        }
    }

    /// What stands after `label:`, up to the end of its literal; empty when the label is absent.
    private static func argument(_ label: String, of entry: Substring) -> Substring {
        guard let found = entry.range(of: label + ":") else { return "" }
        let rest = entry[found.upperBound...].drop { $0.isWhitespace }
        guard rest.first == "[" else { return rest.prefix { $0 != "," } }
        let start = rest.index(after: rest.startIndex)
        return rest[start..<balancedEnd(in: rest, after: start, open: "[", close: "]")]
    }

    private static func balancedEnd(
        in text: Substring, after start: Substring.Index, open: Character, close: Character
    ) -> Substring.Index {
        var depth = 1
        for index in text[start...].indices {
            if text[index] == open { depth += 1 }
            if text[index] == close {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return text.endIndex
    }

    private static func strings(in text: Substring) -> [String] {
        text.matches(of: /"([^"]+)"/).map { String($0.1) }
    }

    private static func cases(in text: Substring) -> [String] {
        text.matches(of: /\.(\w+)/).map { String($0.1) }
    }
}
