import Cluster
import Foundation
import HTTPClient
import Processes
import TestSupport
import Testing

@testable import Commands

@Suite struct JobCommandTests {
    @Test("A submitted job's box reads as people know it")
    func banner() {
        let text = JobBanner.submitted("manta_abc", address: "http://localhost:8265", waits: true)
        let rule = String(repeating: "-", count: 42)  // two more on either side
        let lines = [
            "Job submission server address: http://localhost:8265", "", rule,
            "Job 'manta_abc' submitted successfully", rule, "", "Next steps",
            "  Query the logs of the job:", "    job logs manta_abc",
            "  Query the status of the job:", "    job status manta_abc",
            "  Request the job to be stopped:", "    job stop manta_abc", "",
            "Tailing logs until the job exits (disable with --no-wait):", "",
        ]
        #expect(text == lines.joined(separator: "\n"))
    }

    @Test("Words come back from a real shell as they went in")
    func shellWords() async throws {
        let words = ["plain", "two words", "it's", "$HOME", "", "a\"b", "semi;colon", "*"]
        var specification = ChildProcess.Specification(
            "/bin/sh", ["-c", "printf '%s\\n' " + ShellWords.join(words)],
            environment: ["PATH": "/usr/bin:/bin"])
        let path = NSTemporaryDirectory() + "manta-words-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        specification.standardOutput = .file(path)
        let exit = await (try ChildProcess.spawn(specification)).wait()
        #expect(exit == .code(0))
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == words.joined(separator: "\n") + "\n")
    }

    @Test("Errors have the documented exit codes")
    func exitCodes() {
        #expect(CommandFailure(HeadFailure(404, "not_found", "x")).code == 3)
        #expect(CommandFailure(HeadFailure(409, "already_exists", "x")).code == 4)
        #expect(CommandFailure(HeadFailure(401, "unauthenticated", "x")).code == 7)
        #expect(CommandFailure(HeadFailure(400, "invalid", "x")).code == 2)
        let away = CommandFailure(HTTPClientError.cannotConnect(host: "h", cause: "refused"))
        #expect(away.code == 6)
        #expect(away.description.contains("manta up"))
        #expect(CommandFailure(SettingError("x")).code == 2)
    }

    @Test(
        "A working directory leaves at home what its ignore file names",
        arguments: [
            ("*.key", "a/b.key", true), ("*.key", "a/b.keys", false), ("/top", "top", true),
            ("/top", "a/top", false), ("logs/", "a/logs", true), ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "a/z", true), ("?.txt", "ab.txt", false), ("# no", "# no", false),
            ("*.log\n!keep.log", "keep.log", false), ("*.log\n!keep.log", "x.log", true),
            ("", ".git", true),
        ])
    func ignoreFile(_ rules: String, _ path: String, _ isIgnored: Bool) {
        #expect(IgnoreFile(text: rules).matches(path, isFolder: rules.hasSuffix("/")) == isIgnored)
    }
}
