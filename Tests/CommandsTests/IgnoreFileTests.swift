import Foundation
import Processes
import Testing

@testable import Commands

/// Our rules beside git's own answer on a real folder.
@Suite struct IgnoreFileTests {
    private static let files = [
        "a.txt", "b.log", "build/x.o", "build/sub/y", "src/build/z", "src/main.swift", "src/a.txt",
        "tools/build", "docs/readme.md", "docs/api/a.txt", "docs/api/v1/a.txt", "with space.txt",
        "#hash", "!bang", "[x].txt", "x.txt", "a]b", "a-b", "abc", "adc", ".hidden", ".env",
        "deep/a/b/c/d.txt", "deep/d.txt", "foo/bar/baz.txt", "foo/baz.txt", "foobar.txt",
        "foo/bar/foo/baz.txt", "data/train.csv", "data/test.csv", "data/raw/one.csv", "Über.txt",
        "star*name", "q?mark", "node_modules/p/index.js", "src/node_modules/q/i.js", "a/b/c", "a/x",
        "tail", "log/keep/me", "log/1.log", "file.", "UPPER.TXT",
    ]

    private static let tables = [
        "", "# nothing\n\n", "*.log", "*.txt\n!a.txt", "build", "build/", "/build", "/build/",
        "src/build", "docs/*.md", "docs/**", "docs/**/a.txt", "**/a.txt", "**/build", "/a.txt",
        "a/**/c", "deep/**/d.txt", "foo/**/baz.txt", "foo/*/baz.txt", "*", "*\n!*.txt",
        "*\n!*/\n!*.csv", "/*\n!/src", "\\#hash", "\\!bang", "#hash", "!bang", "\\[x\\].txt",
        "[x].txt", "[a-c]bc", "[!a]*", "[^a]*.txt", "a[bd]c", "a[]]b", "a[]-]b", "[", "[a", "a[b",
        "with space.txt", "with space.txt   ", "   a.txt", "a.txt \\ ", "tail\\ ",
        "x.txt\r\n*.log\r",
        "data/*\n!data/train.csv", "data/\n!data/train.csv", "foo", "foo/", "/foo/bar",
        "foo/bar/", "**", "/**", "**/", "**/foo/**", "a/**", "***", "fo**", "**bar.txt", "Über.txt",
        "?ber.txt", "*ber.txt", "star\\*name", "q\\?mark", "q?mark", "node_modules", "src/",
        "log/*\n!log/keep/", "log/**\n!log/keep/\n!log/keep/**", ".*", "!.env\n.*", "/", "//",
        "///",
        "!", "\\", "a\\", "*.TXT", "upper.txt", "file.", "*.", "a-b", "a/b/c/", "a/b/", "*/x",
        "*/*/c", "**/b/c", "[[]x].txt", "[\\]]", "a[\\]]b", "[a-]*b", "[b-a]bc",
        "build\n!build/x.o",
    ]

    /// What git leaves out of `files` with this `.gitignore`.
    private func git(_ text: String, _ place: TestPlace) async throws -> Set<String> {
        try place.write(text, to: "tree/.gitignore")
        let status = try await place.shell(
            "cd tree && git check-ignore --no-index -z --stdin < ../paths > ../answer")
        try #require(status == .code(0) || status == .code(1), "git: \(status)")
        let answer = place.read("answer") ?? Data()
        return Set(answer.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    private func makeTree() async throws -> TestPlace {
        let place = try TestPlace()
        for file in Self.files { try place.write("", to: "tree/" + file) }
        try place.write(Self.files.joined(separator: "\0") + "\0", to: "paths")
        try #require(try await place.shell("cd tree && git init -q .").isSuccess, "git is missing")
        return place
    }

    /// What we leave out: a file that is matched, or lies in a folder that is.
    private func ours(_ text: String) -> Set<String> {
        let ignore = IgnoreFile(text: text)
        return Set(
            Self.files.filter { file in
                let parts = file.split(separator: "/").map(String.init)
                return (1...parts.count).contains { length in
                    ignore.matches(
                        parts[..<length].joined(separator: "/"), isFolder: length < parts.count)
                }
            })
    }

    @Test("Each table leaves out what git leaves out")
    func tables() async throws {
        let place = try await makeTree()
        for table in Self.tables {
            #expect(ours(table) == (try await git(table, place)), "\(table.debugDescription)")
        }
    }

    @Test("So do tables put together by chance")
    func chance() async throws {
        let place = try await makeTree()
        var chance = SeededChance(7)
        let parts = [
            "*", "**", "?", "/", "/", "a", "b", "foo", "bar", "build", "src", "docs", ".txt",
            "[a-c]",
            "[!x]", "data", "*.csv", "\\", " ", "deep", "x", "c",
        ]
        for _ in 0..<150 {
            let lines = (0..<Int.random(in: 1...3, using: &chance)).map { _ in
                (Bool.random(using: &chance) && Bool.random(using: &chance) ? "!" : "")
                    + (0..<Int.random(in: 1...4, using: &chance)).map { _ in
                        parts.randomElement(using: &chance) ?? ""
                    }.joined()
            }
            let table = lines.joined(separator: "\n")
            #expect(ours(table) == (try await git(table, place)), "\(table.debugDescription)")
        }
    }

    @Test("The folder's .mantaignore goes before its .gitignore, and .git stays at home")
    func files() throws {
        let place = try TestPlace()
        try place.write("*.git", to: ".gitignore")
        #expect(IgnoreFile(folder: place.path).matches("a.git", isFolder: false))
        try place.write("*.manta", to: ".mantaignore")
        let ignore = IgnoreFile(folder: place.path)
        #expect(ignore.matches("a.manta", isFolder: false))
        #expect(!ignore.matches("a.git", isFolder: false))
        #expect(ignore.matches(".git", isFolder: true))
        #expect(IgnoreFile(folder: "/no/such/folder").matches(".git", isFolder: true))
        #expect(!IgnoreFile(folder: "/no/such/folder").matches("a", isFolder: false))
    }

    @Test("A pattern made to take for ever does not")
    func slowPattern() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        let name = String(repeating: "a", count: 2_000)
        let clock = ContinuousClock()
        let duration = clock.measure {
            #expect(!IgnoreFile(text: pattern).matches(name, isFolder: false))
        }
        #expect(duration < .seconds(5))
    }
}
