import Foundation
import Testing

@testable import Cluster

/// What a package's manifest and files mean to the build of a job.
@Suite struct PackagePlanTests {
    private func plan(
        _ targets: String, _ files: [String], name: String = "job",
        text: @escaping (String) -> String = { _ in "" }
    ) throws -> PackagePlan {
        let json = #"{"name": "\#(name)", "dependencies": [], "targets": [\#(targets)]}"#
        let manifest = try JSONDecoder().decode(PackageManifest.self, from: Data(json.utf8))
        return try PackagePlan(manifest, files: files, text: text)
    }

    private func refusal(_ targets: String, _ files: [String]) throws -> String {
        let error = #expect(throws: PackageError.self) { try plan(targets, files) }
        return try #require(error).description
    }

    private static let main = """
        {"name": "my-job", "type": "executable", "dependencies":
            [{"product": ["MantaSDK", "manta", null, null]}, {"byName": ["Tools", null]}],
         "exclude": [], "resources": [], "settings": []}
        """
    private static let tools = """
        {"name": "Tools", "type": "regular", "dependencies": [{"target": ["Base", null]}],
         "exclude": ["old", "notes.swift"], "settings": [
            {"tool": "swift", "kind": {"define": {"_0": "FAST"}}},
            {"tool": "swift", "kind": {"define": {"_0": "SLOW"}},
             "condition": {"config": "debug", "platformNames": []}},
            {"tool": "swift", "kind": {"define": {"_0": "MAC"}},
             "condition": {"platformNames": ["macos"]}}]}
        """
    private static let base = """
        {"name": "Base", "type": "regular", "dependencies": [], "path": "./Base/"}
        """
    private static let files = [
        "Package.swift", "README.md", "Base/base.swift", "Sources/Tools/b.swift",
        "Sources/Tools/a.swift", "Sources/Tools/old/x.swift", "Sources/Tools/notes.swift",
        "Sources/my-job/main.swift", "Sources/my-job/deep/helper.swift", "Tests/T/t.swift",
    ]

    @Test("Targets come after those they need, with their own files and settings")
    func order() throws {
        let test = #"{"name": "T", "type": "test", "dependencies": [{"byName": ["Other", null]}]}"#
        let plan = try plan(
            [test, Self.main, Self.tools, Self.base].joined(separator: ","), Self.files)
        #expect(
            plan.libraries == [
                .init(name: "Base", sources: ["Base/base.swift"], flags: []),
                .init(
                    name: "Tools", sources: ["Sources/Tools/a.swift", "Sources/Tools/b.swift"],
                    flags: ["-D", "FAST"]),
            ])
        #expect(plan.executable.name == "my_job")
        #expect(
            plan.executable.sources == [
                "Sources/my-job/deep/helper.swift", "Sources/my-job/main.swift",
            ])
        #expect(!plan.hasMainType)
        let arguments = plan.arguments(output: "/o/job", folder: "/p")
        #expect(arguments.suffix(4) == ["/p/Base.o", "/p/Tools.o", "-o", "/o/job"])
        #expect(!arguments.contains("-parse-as-library"))
        let library = plan.arguments(library: plan.libraries[1], folder: "/p")
        #expect(library.contains("/p/Tools.swiftmodule") && library.contains("-parse-as-library"))
    }

    private static let alone = #"{"name": "a", "type": "executable", "dependencies": []}"#

    @Test("The files of an only target may stand in Sources itself; @main is an entry point too")
    func entryPoints() throws {
        let one = try plan(Self.alone, ["Sources/script.swift"])
        #expect(one.executable.sources == ["Sources/script.swift"] && !one.hasMainType)
        let marked = try plan(Self.alone, ["Sources/a/x.swift", "Sources/a/y.swift"]) {
            $0.hasSuffix("y.swift") ? "@main struct Job {}" : ""
        }
        #expect(marked.hasMainType)
        #expect(marked.arguments(output: "o", folder: "p").contains("-parse-as-library"))
        #expect(
            try refusal(Self.alone, ["Sources/a/x.swift", "Sources/a/y.swift"])
                .contains("neither main.swift nor @main"))
    }

    @Test("Of several programs the one with the package's name is the job")
    func programs() throws {
        let other = #"{"name": "b", "type": "executable", "dependencies": []}"#
        let files = ["Sources/a/main.swift", "Sources/b/main.swift"]
        let both = Self.alone + "," + other
        #expect(try plan(both, files, name: "b").executable.name == "b")
        #expect(try refusal(both, files).contains("executable targets a, b"))
    }

    @Test("A system library is found by its module map")
    func systemLibrary() throws {
        let target = """
            {"name": "a", "type": "executable", "dependencies": [{"target": ["CBlas", null]}]},
            {"name": "CBlas", "type": "system", "dependencies": []}
            """
        let files = ["Sources/a/main.swift", "Sources/CBlas/module.modulemap"]
        let plan = try plan(target, files)
        #expect(
            plan.executable.flags == ["-Xcc", "-fmodule-map-file=Sources/CBlas/module.modulemap"])
        #expect(
            try refusal(target, [files[0], "Sources/CBlas/x.h"]).contains("no Sources/CBlas/module")
        )
    }

    @Test(
        "What a job cannot have is refused by name",
        arguments: [
            (#"{"name": "L", "type": "regular", "dependencies": []}"#, "no executable target"),
            (
                """
                {"name": "a", "type": "executable",
                 "dependencies": [{"product": ["Logging", "x"]}]}
                """,
                "uses Logging of another package"
            ),
            (
                """
                {"name": "a", "type": "executable", "dependencies": [{"byName": ["Gone", null]}]}
                """,
                "uses Gone of another package"
            ),
            (
                """
                {"name": "a", "type": "executable", "dependencies": [{"target": ["M", null]}]},
                {"name": "M", "type": "macro", "dependencies": []}
                """, "of the kind macro"
            ),
            (
                """
                {"name": "a", "type": "executable", "dependencies": [],
                 "resources": [{"path": "data.csv", "rule": {"copy": {}}}]}
                """, "the resource data.csv"
            ),
            (
                """
                {"name": "a", "type": "executable", "dependencies": [], "path": "Own/a",
                 "settings": [{"tool": "swift", "kind": {"unsafeFlags": {"_0": ["-O"]}}}]}
                """, "setting unsafeFlags"
            ),
            (
                """
                {"name": "a", "type": "executable", "dependencies": [{"target": ["B", null]}]},
                {"name": "B", "type": "regular", "dependencies": [{"target": ["a", null]}]}
                """, "needs itself"
            ),
            (
                #"{"name": "a", "type": "executable", "dependencies": [], "path": "../up"}"#,
                "no Swift files under ../up/"
            ),
            (
                #"{"name": "a", "type": "executable", "dependencies": [], "path": "native"}"#,
                "native/x.c is not Swift"
            ),
            (#"{"name": "z", "type": "executable", "dependencies": []}"#, "no folder Sources/z"),
        ])
    func refusals(_ targets: String, _ words: String) throws {
        let text = try refusal(targets, ["native/x.c", "Own/a/main.swift", "Sources2/x.swift"])
        #expect(text.contains(words), "\(text)")
    }
}
