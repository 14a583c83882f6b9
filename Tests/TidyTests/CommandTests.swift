import Testing

/// What the command line declares, read from Sources/Commands.
struct CommandIndex {
    private(set) var subcommands: Set<String> = []
    /// Options and flags, "--working-dir" and "-f".
    private(set) var options: Set<String> = ["--help", "-h", "--version"]

    init() throws {
        for path in Repository.files(under: "Sources/Commands", withExtension: "swift") {
            let text = try Repository.text(of: path)
            subcommands.formUnion(
                text.matches(of: /commandName:\s*"([\w-]+)"/).map { String($0.1) })
            // `@Flag(name: [.short, .long], help: "…") var follow = false`, on one line or several.
            for found in text.matches(of: /@(?:Option|Flag)\b[^@]*?\bvar (\w+)/) {
                let name = String(found.1)
                options.insert("--" + CommandIndex.kebab(name))
                if found.0.contains(".short"), let first = name.first {
                    options.insert("-\(first)")
                }
            }
            options.formUnion(
                text.matches(of: /\.customLong\("([\w-]+)"/).map { "--" + String($0.1) })
        }
    }

    /// "workingDir" as "working-dir".
    private static func kebab(_ name: String) -> String {
        name.map { $0.isUppercase ? "-" + $0.lowercased() : String($0) }.joined()
    }
}

/// A command that a reader copies must exist.
@Suite("Commands shown outside the code exist")
struct CommandTests {
    static let documents = Repository.documents.filter { $0 != "CHANGELOG.md" }

    let index: CommandIndex

    init() throws { index = try CommandIndex() }

    @Test("Scripts, subcommands and options in shell blocks are real", arguments: documents)
    func shellBlocksAreReal(path: String) throws {
        for block in try Document(path: path).blocks where ["sh", "bash"].contains(block.language) {
            for (offset, line) in block.lines.enumerated() {
                check(line, at: "\(path):\(block.firstLine + offset)")
            }
        }
    }

    @Test("Containers are started with subcommands and options that are real")
    func manifestsAreReal() throws {
        for path in Repository.files(under: "k8s", withExtension: "yaml") {
            for found in try Repository.text(of: path).matches(of: /\bargs: \[([^\]]*)\]/) {
                let words = found.1.split(separator: ",").map {
                    $0.trimmingPrefix(" ").split(separator: "\"").joined()
                }
                check((["manta"] + words).joined(separator: " "), at: path)
            }
        }
        let image = try Repository.text(of: "Dockerfile")
        for found in image.matches(of: /CMD \["(\w+)"\]/) {
            #expect(index.subcommands.contains(String(found.1)), "Dockerfile: \(found.0)")
        }
    }

    private func check(_ line: String, at place: String) {
        let words = line.split(separator: " ").prefix { !$0.hasPrefix("#") }.map(String.init)
        // Settings in front of a command: NAME=value.
        guard let at = words.firstIndex(where: { !$0.contains(/^[A-Z_]+=/) }) else { return }
        if words[at].hasPrefix("script/") || words[at].hasPrefix(".ci/") {
            #expect(Repository.isExecutable(words[at]), "\(place): \(words[at])")
            return
        }
        let program = words[at].split(separator: "/").last.map(String.init) ?? words[at]
        guard ["manta", "job", "serve"].contains(program), at + 1 < words.count else { return }
        let own = words[(at + 1)...].prefix { $0 != "--" }
        if let subcommand = own.first, !subcommand.hasPrefix("-") {
            #expect(index.subcommands.contains(subcommand), "\(place): \(program) \(subcommand)")
        }
        for word in own where word.hasPrefix("-") {
            let option = String(word.prefix { $0 != "=" })
            #expect(index.options.contains(option), "\(place): \(program) has no \(option)")
        }
        for file in own where file.hasPrefix("jobs/") {
            #expect(Repository.exists(file), "\(place): \(file)")
        }
    }
}
