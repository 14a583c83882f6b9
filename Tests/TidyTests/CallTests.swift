import Testing

/// Calls that end the process, write where a machine reads, or reach round the configuration.
@Suite("Calls that have no place in a room")
struct CallTests {
    static let sources = Repository.files(under: "Sources", withExtension: "swift")

    @Test("Nothing traps on what comes from outside", arguments: sources)
    func nothingTraps(path: String) throws {
        let trap = /\btry!|\bfatalError\(|\bas!/
        let file = try SwiftText(path: path)
        for (index, line) in file.codeLines.enumerated() where line.contains(trap) {
            // A job script's programmer errors may end the job, where the line says why.
            let saysWhy = file.lines[index].contains("//")
            if path.hasPrefix("Sources/Manta/") && saysWhy { continue }
            Issue.record("\(path):\(index + 1): \(file.lines[index])")
        }
    }

    @Test("Only the command line and a job's own process print", arguments: sources)
    func nothingPrints(path: String) throws {
        if path.hasPrefix("Sources/Commands/") || path.hasPrefix("Sources/Manta/") { return }
        let call = /(^|[^.\w])(print|debugPrint|dump)\(/
        let file = try SwiftText(path: path)
        for (index, line) in file.codeLines.enumerated() where line.contains(call) {
            Issue.record("\(path):\(index + 1): \(file.lines[index])")
        }
    }

    /// One file per kind of process reads settings; Processes hands the environment on unread.
    static let environmentReaders: Set<String> = [
        "Sources/Commands/Environment.swift", "Sources/Manta/DriverEnvironment.swift",
        "Sources/Processes/Guard.swift",
    ]

    @Test("Environment variables are read in two files", arguments: sources)
    func environmentIsReadInTwoFiles(path: String) throws {
        if CallTests.environmentReaders.contains(path) { return }
        let reading = /\bgetenv\(|\bsecure_getenv\(|processInfo\.environment\b|\benviron\b/
        let file = try SwiftText(path: path)
        for (index, line) in file.codeLines.enumerated() where line.contains(reading) {
            Issue.record("\(path):\(index + 1): \(file.lines[index])")
        }
    }
}
