import ArgumentParser
import Cluster
import Foundation
import HTTPClient
import Jobs
import Logging
import Synchronization
import Testing

@testable import Commands

/// What `job submit` sends, to a real head.
@Suite struct SubmitCommandTests {
    /// A head over stores in memory.
    private final class TestHead: Sendable {
        let store = InMemoryJobStore()
        let blobs = InMemoryBlobStore()
        let client: HeadClient
        private let task: Task<Void, any Error>

        init() async throws {
            var configuration = try HeadConfiguration(token: "t", version: "1")
            configuration.port = 0
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let head = Head(configuration, store: store, blobs: blobs, logger: logger)
            let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
            task = Task {
                defer { continuation.finish() }
                try await head.run { continuation.yield($0) }
            }
            var bound: Int?
            for await port in ports {
                bound = port
                break
            }
            let port = try #require(bound)
            client = HeadClient(address: "http://127.0.0.1:\(port)", token: "t")
        }

        /// Submits as the command does and answers the job that arrived.
        func submit(_ arguments: String...) async throws -> NewJob {
            let command = try SubmitCommand.parse(arguments)
            let request = try await Upload(command: command, client: client).submission()
            let reply = try await client.submit(request)
            let id = try #require(JobID(rawValue: reply.submissionID))
            return try #require(try await store.job(id)).spec
        }

        func stop() async {
            task.cancel()
            _ = await task.result
        }
    }

    @Test("One argument after -- is shell text; several are a command's words")
    func commands() async throws {
        let head = try await TestHead()
        #expect(
            try await head.submit("--", "cd /tmp && ls | wc -l").entrypoint
                == .command("cd /tmp && ls | wc -l"))
        #expect(
            try await head.submit("--", "echo", "one word", "$HOME").entrypoint
                == .command("echo 'one word' '$HOME'"))
        #expect(try await head.submit("--", "ls").entrypoint == .command("ls"))
        // What stands after -- is never taken for an option of ours.
        #expect(
            try await head.submit("--", "python", "t.py", "--json", "-h").entrypoint
                == .command("python t.py --json -h"))
        await head.stop()
    }

    @Test("A script goes along as a blob, its options kept word for word")
    func script() async throws {
        let head = try await TestHead()
        let place = try TestPlace()
        let path = try place.write("import Manta\n", to: "jobs/train.swift")
        let job = try await head.submit(path, "--", "--width", "75", "--name", "a b")
        guard case .script(let name, let digest, let arguments) = job.entrypoint else {
            Issue.record("\(job.entrypoint) is no script")
            return
        }
        #expect(name == "train.swift" && arguments == ["--width", "75", "--name", "a b"])
        #expect(try await head.blobs.get(digest) == Array("import Manta\n".utf8))
        await head.stop()
    }

    @Test("A package's folder goes along as a zip file, without what it ignores or SwiftPM made")
    func package() async throws {
        let head = try await TestHead()
        let place = try TestPlace()
        for name in ["Package.swift", "Sources/a/main.swift", ".build/x", ".swiftpm/y", "big.csv"] {
            try place.write("// \(name)\n", to: "my job/\(name)")
        }
        try place.write("*.csv\n", to: "my job/.gitignore")
        let job = try await head.submit(place.path + "/my job/", "--", "--width", "75")
        guard case .script(let name, let digest, let arguments) = job.entrypoint else {
            Issue.record("\(job.entrypoint) is no package")
            return
        }
        #expect(name == "my_job.zip" && arguments == ["--width", "75"])
        #expect(job.entrypoint.description == "my_job --width 75")
        #expect(job.driverLabels == ["toolchain"])
        try ZipArchive.unpack(Data(try await head.blobs.get(digest)), to: place.path + "/out")
        let names = try FileManager.default.subpathsOfDirectory(atPath: place.path + "/out")
        #expect(
            names.sorted() == [
                ".gitignore", "Package.swift", "Sources", "Sources/a", "Sources/a/main.swift",
            ])
        try place.write("x", to: "plain/a.txt")
        let error = await #expect(throws: CommandFailure.self) {
            try await head.submit(place.path + "/plain")
        }
        #expect(error?.code == ExitStatus.notFound)
        #expect(error?.description.contains("--working-dir") == true)
        #expect(Upload.packageName("/tmp/-x") == "package-x" && Upload.packageName("/") != "")
        await head.stop()
    }

    @Test("Settings of the job arrive")
    func settings() async throws {
        let head = try await TestHead()
        let job = try await head.submit(
            "--submission-id", "mine.1", "--env", "A=b=c", "--env", "EMPTY=", "--metadata", "k=v",
            "--entrypoint-num-cpus", "0.5", "--priority", "3", "--", "true")
        #expect(job.id.rawValue == "mine.1" && job.environment == ["A": "b=c", "EMPTY": ""])
        #expect(job.metadata == ["k": "v"] && job.driverResources.milliCPUs == 500)
        #expect(job.priority == 3)
        await head.stop()
    }

    @Test("An address is passed on with its digest; without one it is told how to find it")
    func workingDirectoryURL() async throws {
        let head = try await TestHead()
        let digest = String(repeating: "c", count: 64)
        let job = try await head.submit(
            "--working-dir", "https://host.invalid/x.zip#sha256=\(digest)", "--", "true")
        #expect(job.workingDirectory == digest)
        #expect(job.workingDirectoryURL == "https://host.invalid/x.zip")
        let error = await #expect(throws: CommandFailure.self) {
            try await head.submit("--working-dir", "https://host.invalid/x.zip", "--", "true")
        }
        #expect(error?.code == ExitStatus.usage)
        #expect(
            error?.description.contains("curl -fsSL 'https://host.invalid/x.zip' | sha256sum")
                == true)
        await head.stop()
    }

    @Test("Where and when the job runs arrives")
    func placing() async throws {
        let head = try await TestHead()
        _ = try await head.submit("--submission-id", "first", "--", "true")
        let job = try await head.submit(
            "--after", "first", "--timeout", "1h30m", "--schedule-to-start", "90s", "--pool", "gpu",
            "--resources", #"{"licence": 0.5}"#, "--entrypoint-num-gpus", "1",
            "--entrypoint-memory", "2GiB", "--", "true")
        #expect(job.after?.map(\.rawValue) == ["first"] && job.pool == "gpu")
        #expect(job.deadlines == Deadlines(scheduleToStart: 90_000, scheduleToClose: 5_400_000))
        #expect(
            job.driverResources
                == Resources(memoryInBytes: 2 << 30, gpus: 1, custom: ["licence": 500]))
        for wrong in [
            ["--timeout", "10"], ["--resources", "licence=1"], ["--entrypoint-memory", "2"],
        ] {
            let command = try SubmitCommand.parse(wrong + ["--", "true"])
            await #expect(throws: SettingError.self) {
                try await Upload(command: command, client: head.client).submission()
            }
        }
        for wrong in [
            ["--cron", "@daily"], ["--schedule-name", "n"],
            ["--cron", "@daily", "--schedule-name", "n", "--after", "a"],
            ["--cron", "@daily", "--schedule-name", "n", "--submission-id", "a"],
        ] {
            #expect(throws: (any Error).self) { try SubmitCommand.parse(wrong + ["--", "true"]) }
        }
        await head.stop()
    }

    @Test("A working directory is sent without what it leaves at home")
    func workingDirectory() async throws {
        let head = try await TestHead()
        let place = try TestPlace()
        try place.write("print(1)", to: "wd/train.py")
        try place.write("*.csv\nvenv/\n", to: "wd/.gitignore")
        try place.write("big", to: "wd/data.csv")
        try place.write("big", to: "wd/venv/lib/x")
        try place.write("x", to: "wd/.git/config")
        let job = try await head.submit("--working-dir", place.path + "/wd", "--", "true")
        let digest = try #require(job.workingDirectory)
        let bytes = try await head.blobs.get(digest)
        try ZipArchive.unpack(Data(bytes), to: place.path + "/out")
        let names = try FileManager.default.subpathsOfDirectory(atPath: place.path + "/out")
        #expect(names.sorted() == [".gitignore", "train.py"])
        let error = await #expect(throws: CommandFailure.self) {
            try await head.submit("--working-dir", place.path + "/none", "--", "true")
        }
        #expect(error?.code == 3)
        await head.stop()
    }
}
