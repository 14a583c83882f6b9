import Testing

/// A command that a reader copies must exist.
@Suite("Commands shown in documents exist")
struct CommandTests {
    static let documents = Repository.documents.filter { $0 != "CHANGELOG.md" }

    /// Names of subcommands as the command line declares them.
    let subcommands: Set<String>

    init() throws {
        var names: Set<String> = []
        for path in Repository.files(under: "Sources/Commands", withExtension: "swift") {
            let text = try Repository.text(of: path)
            names.formUnion(
                text.matches(of: /commandName:\s*"([\w-]+)"/).map { String($0.1) })
        }
        subcommands = names
    }

    @Test("Scripts and subcommands in shell blocks are real", arguments: documents)
    func shellBlocksAreReal(path: String) throws {
        for block in try Document(path: path).blocks where ["sh", "bash"].contains(block.language) {
            for (offset, line) in block.lines.enumerated() {
                check(line, at: "\(path):\(block.firstLine + offset)")
            }
        }
    }

    private func check(_ line: String, at place: String) {
        let withoutComment = line.split(separator: "#", maxSplits: 1).first ?? ""
        let words = withoutComment.split(separator: " ").map(String.init)
        // Settings in front of a command: NAME=value.
        guard let at = words.firstIndex(where: { !$0.contains(/^[A-Z_]+=/) }) else { return }
        let command = words[at]
        if command.hasPrefix("script/") || command.hasPrefix(".ci/") {
            #expect(Repository.isExecutable(command), "\(place): \(command)")
            return
        }
        let name = command.split(separator: "/").last.map(String.init) ?? command
        guard ["manta", "job", "serve"].contains(name), at + 1 < words.count else { return }
        let subcommand = words[at + 1]
        if subcommand.hasPrefix("-") || subcommand.hasPrefix("$") { return }
        #expect(subcommands.contains(subcommand), "\(place): \(name) \(subcommand)")
        for file in words where file.hasPrefix("jobs/") && !file.contains("…") {
            #expect(Repository.exists(file), "\(place): \(file)")
        }
    }
}
