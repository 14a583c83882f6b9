/// Every name that code of the repository declares or uses.
struct SymbolIndex {
    /// Types, functions, properties and cases declared in Sources, rooms and C modules.
    let declared: Set<String>
    /// Every word of Sources, Tests, jobs, script, k8s and Benchmarks, strings and comments included.
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
            words.formUnion(content.matches(of: /\w+/).lazy.map { String($0.0) })
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

    static func declarations(in file: SwiftText) -> Set<String> {
        let pattern =
            /\b(?:struct|class|enum|actor|protocol|func|var|let|typealias|macro)\s+`?(\w+)/
        var names: Set<String> = []
        for line in file.codeLines {
            names.formUnion(line.matches(of: pattern).map { String($0.1) })
            if let cases = line.firstMatch(of: /^\s*(?:indirect )?case\s+(\w.*)$/) {
                names.formUnion(cases.1.matches(of: /`?(\w+)/).map { String($0.1) })
            }
            if line.contains(/\binit[?(<]/) { names.insert("init") }
        }
        return names
    }
}
