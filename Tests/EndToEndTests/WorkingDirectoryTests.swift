import Foundation
import Processes
import TestSupport
import Testing

/// Working directories from the web, from `job submit` to the job's own eyes.
@Suite struct WorkingDirectoryTests {
    @Test("A zip file on a server becomes the working directory, if it is the one that was named")
    func fromServer() async throws {
        let folder = "/tmp/manta-web-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // What a source host gives out: one folder, deflated.
        let digest = try await Python.run(
            """
            import hashlib, os, sys, zipfile
            os.chdir(sys.argv[1])
            with zipfile.ZipFile("code.zip", "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("code-main/greet.sh", "echo hello from the web\\n" + "# filler\\n" * 500)
            print(hashlib.sha256(open("code.zip", "rb").read()).hexdigest())
            """, arguments: [folder]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        let port = try FreePorts.one()
        var specification = ChildProcess.Specification(
            try Python.executable,
            ["-m", "http.server", String(port), "--bind", "127.0.0.1", "--directory", folder],
            environment: Python.environment)
        specification.standardOutput = .file(folder + "/server.log")
        specification.standardError = .file(folder + "/server.log")
        let server = try ChildProcess.spawn(specification)
        let address = "http://127.0.0.1:\(port)"
        let cluster = try await TestCluster.start(workers: 1, downloadFrom: address)
        try await eventually("the server answers") {
            try await HeadProbe.status(address + "/code.zip") == 200
        }
        let url = "\(address)/code.zip"
        let output = try await cluster.manta([
            "job", "submit", "--working-dir", "\(url)#sha256=\(digest)", "--", "sh greet.sh",
        ])
        #expect(output.exit == .code(0), "\(output.err)\n\(output.out)")
        #expect(output.outLines.contains("hello from the web"))
        let other = String(repeating: "1", count: 64)
        let wrong = try await cluster.manta([
            "job", "submit", "--working-dir", "\(url)#sha256=\(other)", "--", "sh greet.sh",
        ])
        #expect(wrong.exit == .code(1))
        #expect(wrong.out.contains("Cause: the working directory \(url) cannot be used"))
        #expect(wrong.out.contains("its SHA-256 is \(digest)"))
        let unpinned = try await cluster.manta([
            "job", "submit", "--working-dir", url, "--", "sh greet.sh",
        ])
        #expect(unpinned.exit == .code(2) && unpinned.err.contains("| sha256sum"))
        await server.terminate(grace: .seconds(3))
        await cluster.stop()
    }
}
