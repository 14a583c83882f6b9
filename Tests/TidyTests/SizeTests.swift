import Testing

@Suite("Files, functions and lines stay small enough to read")
struct SizeTests {
    static let fileLinesMax = 400
    static let functionLinesMax = 70
    static let columnsMax = 100

    static let sources = ["Sources", "Tests", "jobs", "Benchmarks"].flatMap {
        Repository.files(under: $0, withExtension: "swift")
    }

    @Test("A file has at most 400 lines", arguments: sources)
    func filesAreSmall(path: String) throws {
        // The last line feed ends a line; it does not begin one.
        let count = try Repository.text(of: path).count { $0 == "\n" }
        #expect(count <= SizeTests.fileLinesMax)
    }

    @Test("A function has at most 70 lines", arguments: sources)
    func functionsAreSmall(path: String) throws {
        for function in try SwiftText(path: path).functions
        where function.lineCount > SizeTests.functionLinesMax {
            Issue.record(
                "\(path):\(function.firstLine): \(function.name) has \(function.lineCount) lines")
        }
    }

    @Test("A line has at most 100 columns", arguments: sources + ["Package.swift"])
    func linesAreShort(path: String) throws {
        for (index, line) in try SwiftText(path: path).lines.enumerated()
        where line.count > SizeTests.columnsMax {
            Issue.record("\(path):\(index + 1): \(line.count) columns")
        }
    }
}
