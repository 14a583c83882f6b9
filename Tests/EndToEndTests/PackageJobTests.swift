import Foundation
import Testing

/// Jobs that are packages, compiled by the real compiler on a real worker.
@Suite(.serialized) struct PackageJobTests {
    private static let cluster = Task { try await TestCluster.start(workers: 2) }
    private func cluster() async throws -> TestCluster { try await Self.cluster.value }

    private static let jobs =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/jobs"

    /// Writes a package of several files and answers its folder.
    private func write(
        _ name: String, _ cluster: TestCluster, _ files: [String: String]
    ) throws -> String {
        let folder = "\(cluster.folder)/work/\(name)"
        for (file, text) in files {
            let path = "\(folder)/\(file)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        return folder
    }

    @Test("The example package runs with its options, and is compiled once")
    func example() async throws {
        let cluster = try await cluster()
        let arguments = ["job", "submit", Self.jobs + "/pi", "--", "--points", "40000"]
        let first = try await cluster.manta(arguments)
        #expect(first.exit == .code(0), "\(first.err)\n\(first.out)")
        #expect(first.err.contains("Uploading pi ("))
        #expect(first.outLines.contains { $0.hasPrefix("pi is about 3.1") })
        // The library target, and the program.
        let compilations = cluster.compilationCount
        let again = try await cluster.manta(arguments)
        #expect(again.exit == .code(0) && cluster.compilationCount == compilations)
        let help = try await cluster.manta(["job", "submit", Self.jobs + "/pi", "--", "--help"])
        #expect(help.exit == .code(0) && help.out.contains("Darts to throw."))
    }

    @Test("@main, settings and folders of its own work; what is ignored stays at home")
    func mainType() async throws {
        let cluster = try await cluster()
        let folder = try write(
            "marked", cluster,
            [
                "Package.swift": """
                // swift-tools-version: 6.0
                import PackageDescription
                let package = Package(name: "marked", targets: [
                    .executableTarget(
                        name: "marked-job", path: "Code", exclude: ["Notes.swift"],
                        swiftSettings: [.define("LOUD"), .enableUpcomingFeature("ExistentialAny")])
                ])
                """,
                "Code/Job.swift": """
                import Manta
                @main struct Job {
                    static func main() async throws {
                        _ = Tasks.double
                        try await runJob { cluster in
                            print(Greeting.text, try await cluster.map(Tasks.double, over: [4, 5]))
                        }
                    }
                }
                """,
                "Code/Parts/Tasks.swift": """
                import Manta
                enum Tasks {
                    static let double = RemoteTask("double") { (n: Int, _) async throws in 2 * n }
                }
                enum Greeting {
                    #if LOUD
                        static let text = "HELLO"
                    #else
                        static let text = "hello"
                    #endif
                }
                """,
                "Code/Notes.swift": "this is no Swift",
                "Code/Draft.swift": "nor is this",
                ".mantaignore": "Draft.swift\n",
            ])
        let output = try await cluster.manta(["job", "submit", folder])
        #expect(output.exit == .code(0), "\(output.err)\n\(output.out)")
        #expect(output.outLines.contains("HELLO [8, 10]"))
    }

    @Test("Diagnostics name the package's own files; what it may not have is refused by name")
    func refusals() async throws {
        let cluster = try await cluster()
        let manifest = { (dependencies: String) in
            """
            // swift-tools-version: 6.0
            import PackageDescription
            let package = Package(
                name: "broken",
                dependencies: [
                    .package(url: "https://example.invalid/swift-log.git", from: "1.0.0")
                ],
                targets: [
                    .executableTarget(name: "broken", dependencies: [\(dependencies)])
                ])
            """
        }
        let source = "import Manta\nlet number: Int = \"text\"\ntry await runJob { _ in }\n"
        let folder = try write(
            "broken", cluster,
            ["Package.swift": manifest(""), "Sources/broken/main.swift": source])
        let wrong = try await cluster.manta(["job", "submit", folder])
        #expect(wrong.exit == .code(65))
        #expect(
            wrong.out.contains("Sources/broken/main.swift:2:19: error: cannot convert"),
            "\(wrong.out)")
        #expect(wrong.out.contains("the package does not compile (1 error)"))
        // Nothing is fetched: the dependency's server does not even exist.
        _ = try write(
            "broken", cluster,
            ["Package.swift": manifest(#".product(name: "Logging", package: "swift-log")"#)])
        let foreign = try await cluster.manta(["job", "submit", folder])
        #expect(foreign.exit == .code(65))
        #expect(
            foreign.out.contains(
                "error: package broken: target broken uses Logging of another package"))
        _ = try write("broken", cluster, ["Package.swift": "let package = 1\n"])
        let unreadable = try await cluster.manta(["job", "submit", folder])
        #expect(unreadable.exit == .code(65))
        #expect(unreadable.out.contains("has a manifest that cannot be read"))
    }
}
