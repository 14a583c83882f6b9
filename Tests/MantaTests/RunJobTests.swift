import Foundation
import Synchronization
import Testing

@testable import Manta

@Suite struct RunJobTests {
    struct Options: JobOptions {
        @Option(help: "Trees of the forest.") var width = 50
        @Option var name: String?
        @Flag var isQuick = false
    }

    @Test("Options are read like any command line's")
    func options() throws {
        guard case .options(let options) = ParsedOptions<Options>.parse(["--width", "75"]) else {
            Issue.record("not parsed")
            return
        }
        #expect(options.width == 75 && options.name == nil && !options.isQuick)
    }

    @Test("Help is a message, bad options are failures that name what is wrong")
    func messages() {
        guard case .message(let help) = ParsedOptions<Options>.parse(["--help"]) else {
            Issue.record("--help did not help")
            return
        }
        #expect(help.contains("--width") && help.contains("Trees of the forest."))
        guard case .failure(let text) = ParsedOptions<Options>.parse(["--width", "wide"]) else {
            Issue.record("bad value was taken")
            return
        }
        #expect(text.contains("wide"))
        guard case .failure = ParsedOptions<NoOptions>.parse(["--width", "1"]) else {
            Issue.record("an unknown option was taken")
            return
        }
    }

    @Test("A description is one line that names tasks and options")
    func description() throws {
        let description = JobDescription(of: Options.self, tasks: ["a", "b"])
        #expect(description.tasks == ["a", "b"])
        #expect(description.options.map(\.name) == ["--width", "--name", "--is-quick"])
        #expect(description.options.first?.defaultValue == "50")
        #expect(description.options.first?.help == "Trees of the forest.")
        let line = try description.line()
        #expect(!line.contains("\n"))
        #expect(
            try JSONDecoder().decode(JobDescription.self, from: Data(line.utf8)) == description)
        #expect(JobDescription(of: NoOptions.self, tasks: []).options == [])
    }

    @Test("Two tasks of one name are found when the registry closes")
    func duplicates() throws {
        var registry = TaskRegistry()
        registry.register("a") { _, _ in [] }
        registry.register("b") { _, _ in [] }
        registry.register("a") { _, _ in [] }
        #expect(registry.names == ["a", "b"])
        #expect(throws: JobError.duplicateTasks(["a"])) { try registry.close() }
    }

    @Test("The environment decides the role, and says what is missing")
    func environment() throws {
        #expect(try DriverEnvironment([:]).role == .alone)
        #expect(try DriverEnvironment(["MANTA_ROLE": "describe"]).role == .describe)
        let channel = ["MANTA_CHANNEL": "/s", "MANTA_CHANNEL_TOKEN": "t"]
        let driver = try DriverEnvironment(
            channel.merging(["MANTA_ROLE": "driver", "MANTA_JOB_ID": "j"]) { $1 })
        #expect(driver.role == .driver(.init(path: "/s", token: "t")) && driver.jobID == "j")
        #expect(
            try DriverEnvironment(channel.merging(["MANTA_ROLE": "executor"]) { $1 }).role
                == .executor(.init(path: "/s", token: "t")))
        #expect(throws: JobError.self) { try DriverEnvironment(["MANTA_ROLE": "driver"]) }
        #expect(throws: JobError.self) { try DriverEnvironment(["MANTA_ROLE": "boss"]) }
        #expect(throws: JobError.self) { try DriverEnvironment(["MANTA_THREADS": "0"]) }
        #expect(try DriverEnvironment(["MANTA_THREADS": "3"]).threads == 3)
    }

    @Test("Progress is silent for short work, a line each five seconds elsewhere")
    func progress() {
        let lines = Mutex<[String]>([])
        let start = ContinuousClock.now
        let progress = Progress("growTrees", total: 75, isTerminal: false, started: start) { line in
            lines.withLock { $0.append(line) }
        }
        progress.add(10, now: start + .seconds(4))
        progress.add(2, now: start + .seconds(6))
        progress.add(1, now: start + .seconds(7))
        progress.add(62, now: start + .seconds(12))
        progress.end()
        #expect(
            lines.withLock { $0 } == [
                "growTrees: 12/75 done, ETA 35 s\n", "growTrees: 75/75 done\n",
            ])
    }

    @Test("Progress rewrites one line on a terminal and takes it away at the end")
    func progressOnTerminal() {
        let lines = Mutex<[String]>([])
        let start = ContinuousClock.now
        let progress = Progress("score", total: 2, isTerminal: true, started: start) { line in
            lines.withLock { $0.append(line) }
        }
        progress.add(1, now: start + .milliseconds(200))
        progress.end()
        #expect(lines.withLock { $0 } == ["\rscore: 1/2 done, ETA 1 s\u{1b}[K", "\r\u{1b}[K"])
    }
}
