import Foundation
import Processes
import Testing

/// The Swift shown in documents is what people copy first.
@Suite("Swift shown in documents compiles")
struct CodeBlockTests {
    static let documents = Repository.documents.filter { $0 != "CHANGELOG.md" }

    @Test("A block that is a whole script compiles against the job SDK", arguments: documents)
    func scriptsCompile(path: String) async throws {
        for block in try Document(path: path).blocks
        where block.language == "swift" && block.text.contains("import Manta") {
            let output = try await diagnostics(of: block.text)
            #expect(output == "", "\(path):\(block.firstLine)")
        }
    }

    @Test("The README shows a script")
    func readmeShowsAScript() throws {
        let blocks = try Document(path: "README.md").blocks
        #expect(blocks.contains { $0.language == "swift" && $0.text.contains("import Manta") })
    }

    @Test("A wrong script is noticed")
    func wrongScriptsAreNoticed() async throws {
        let output = try await diagnostics(of: "import Manta\nlet x: Cluster = 3\n")
        #expect(output.contains("error:"))
    }

    /// What the compiler says of a script; empty when it is content.
    private func diagnostics(of script: String) async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // The name decides whether top-level code is a script: any single file is.
        let source = folder.appending(path: "script.swift")
        try Data(script.utf8).write(to: source)
        let log = folder.appending(path: "log")

        let environment = ProcessInfo.processInfo.environment
        var compiler = ChildProcess.Specification(
            "swiftc", try sdkFlags() + ["-typecheck", source.path], environment: environment)
        compiler.standardOutput = .file(log.path)
        compiler.standardError = .file(log.path)
        let exit = await (try ChildProcess.spawn(compiler)).wait()
        let output = try String(contentsOf: log, encoding: .utf8)
        return exit.isSuccess || !output.isEmpty ? output : "swiftc: \(exit)"
    }

    /// The compiler arguments a worker uses, from the SDK that `script/build --debug` assembled.
    private func sdkFlags() throws -> [String] {
        let binaries = URL(filePath: ExecutablePath.current).deletingLastPathComponent()
        let sdk = binaries.deletingLastPathComponent().appending(path: "lib/manta-sdk")
        let flags = try String(contentsOf: sdk.appending(path: "flags"), encoding: .utf8)
        return flags.split(separator: "\n").map {
            $0.replacingOccurrences(of: "@SDK@", with: sdk.path)
        }
    }
}
