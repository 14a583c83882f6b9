/// Every name that code of the repository declares or uses.
struct SymbolIndex: Sendable {
    /// Types, functions, properties and cases declared in Sources, rooms and C modules.
    let declared: Set<String>
    /// Every word of Sources, Tests, jobs, script, k8s and Benchmarks, strings and comments
    /// included.
    let words: Set<String>
    /// The same as running text, for what is no single word: paths, URLs, key patterns.
    let text: String
    let paths: Set<String>
    let fileNames: Set<String>

    init() throws {
        var declared: Set<String> = []
        var words: Set<String> = []
        var text = ""
        for path in Repository.files(under: "Sources", withExtension: "swift") {
            declared.formUnion(try SymbolIndex.declarations(in: SwiftText(path: path)))
        }
        let table = try RoomTable()
        declared.formUnion(table.rooms.map(\.name))
        declared.formUnion(table.cModules)

        let all = Repository.files(under: ".")
        let folders = ["Sources/", "Tests/", "jobs/", "script/", "k8s/", "Benchmarks/"]
        let roots = ["Package.swift", "skaffold.yaml", "Dockerfile"]
        for path in all where folders.contains(where: path.hasPrefix) || roots.contains(path) {
            // This folder only talks about the others.
            if path.hasPrefix("Tests/TidyTests/") { continue }
            guard let content = try? Repository.text(of: path) else { continue }
            text += content
            words.formUnion(SymbolIndex.words(in: content))
        }
        self.declared = declared
        self.words = words
        self.text = text
        var paths = Set(all)
        for path in all {
            let parts = path.split(separator: "/")
            for count in 1..<max(parts.count, 2) {
                paths.insert(parts.prefix(count).joined(separator: "/"))
            }
        }
        self.paths = paths
        fileNames = Set(all.compactMap { $0.split(separator: "/").last.map(String.init) })
    }

    /// A regular expression over all of the repository would take minutes without optimisation.
    private static func words(in text: String) -> Set<String> {
        Set(
            text.utf8.split { byte in
                !(byte >= 128 || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte))
            }.map { String(decoding: $0, as: UTF8.self) })
    }

    /// What follows a declaring word, and everything that a `case` line names.
    static func declarations(in file: SwiftText) -> Set<String> {
        var names: Set<String> = []
        for line in file.codeLines {
            let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
            for (word, next) in zip(words, words.dropFirst()) where declaring.contains(word) {
                names.insert(String(next))
            }
            if words.first == "case" { names.formUnion(words.dropFirst().map(String.init)) }
            if words.contains("init") { names.insert("init") }
        }
        return names
    }

    private static let declaring: Set<Substring> = [
        "struct", "class", "enum", "actor", "protocol", "func", "var", "let", "typealias", "macro",
    ]
}
