import Glibc
import Processes
import Synchronization
import Testing

@Suite struct ChildProcessTests {
    private let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

    private func shell(_ script: String) -> ChildProcess.Specification {
        var specification = ChildProcess.Specification(
            "/bin/sh", ["-c", script], environment: environment)
        specification.standardOutput = .pipe
        specification.standardError = .pipe
        return specification
    }

    private func run(_ script: String) async throws -> (ProcessExit, [String], [String]) {
        let child = try ChildProcess.spawn(shell(script))
        let seen = Lines()
        let pump = try OutputPump(
            standardOutput: child.standardOutput, standardError: child.standardError
        ) { stream, line in seen.add(stream, line.text) }
        let status = await child.wait()
        await pump.wait()
        return (status, seen.all(.out), seen.all(.err))
    }

    @Test("Every line arrives in order, the last one without a line feed too")
    func lines() async throws {
        let (status, out, err) = try await run(
            "for i in 1 2 3; do echo out$i; echo err$i >&2; done; printf last; exit 3")
        #expect(status == .code(3))
        #expect(out == ["out1", "out2", "out3", "last"])
        #expect(err == ["err1", "err2", "err3"])
    }

    @Test("A missing program is an error that names it, not an exit code")
    func missing() throws {
        #expect(throws: ProcessError.self) {
            try ChildProcess.spawn(.init("/nonexistent/program", environment: [:]))
        }
        #expect(throws: ProcessError.self) {
            try ChildProcess.spawn(.init("no-such-program", environment: environment))
        }
    }

    @Test("A child starts with no signal blocked and only its own descriptors")
    func cleanStart() async throws {
        let (_, out, _) = try await run(
            "grep SigBlk /proc/self/status; ls /proc/self/fd | wc -l")
        #expect(out.first?.hasSuffix("0000000000000000") == true)
        // 0, 1, 2 and the one `ls` opens.
        #expect(out.last == "4")
    }

    @Test("Terminate ends a child that ignores SIGTERM, and its children")
    func terminate() async throws {
        let child = try ChildProcess.spawn(
            shell("trap '' TERM; sleep 300 & echo $!; while :; do sleep 1; done"))
        var splitter = LineSplitter()
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(child.standardOutput, &buffer, 64)
        let line = buffer[..<max(0, count)].withUnsafeBytes { splitter.take($0) }.first
        let grandchild = try #require(line.flatMap { pid_t($0.text) })
        let status = await child.terminate(grace: .milliseconds(200))
        #expect(status == .signal(SIGKILL))
        try await eventually { kill(grandchild, 0) != 0 || isZombie(grandchild) }
    }

    @Test("Many children started at once are all reaped")
    func many() async throws {
        let environment = environment
        try await withThrowingTaskGroup(of: ProcessExit.self) { group in
            for code in 0..<32 {
                group.addTask {
                    try await ChildProcess.spawn(
                        .init("/bin/sh", ["-c", "exit \(code)"], environment: environment)
                    ).wait()
                }
            }
            var codes: Set<ProcessExit> = []
            for try await status in group { codes.insert(status) }
            #expect(codes.count == 32)
        }
    }
}

final class Lines: Sendable {
    private let out = Mutex<[String]>([])
    private let err = Mutex<[String]>([])

    func add(_ stream: OutputPump.Stream, _ text: String) {
        switch stream {
        case .out: out.withLock { $0.append(text) }
        case .err: err.withLock { $0.append(text) }
        }
    }

    func all(_ stream: OutputPump.Stream) -> [String] {
        switch stream {
        case .out: out.withLock { $0 }
        case .err: err.withLock { $0 }
        }
    }
}

func isZombie(_ pid: pid_t) -> Bool {
    let descriptor = open("/proc/\(pid)/stat", O_RDONLY)
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = read(descriptor, &buffer, 512)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self).contains(") Z ")
}

func eventually(
    within limit: Duration = .seconds(5), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, "the condition never held")
        try await Task.sleep(for: .milliseconds(10))
    }
}
