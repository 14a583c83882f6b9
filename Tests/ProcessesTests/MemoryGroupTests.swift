import Glibc
import Processes
import Testing

import TestSupport

/// Both ways to hold a program to its memory, by one suite. Where the machine lets nobody make
/// control groups, both cases sample.
@Suite(.serialized) struct MemoryGroupTests {
    private static let ways = ["sampling", MemoryGroups(totalInBytes: nil).kind]

    private func groups(_ way: String) -> MemoryGroups {
        MemoryGroups(totalInBytes: 2 << 30, mayUseControlGroups: way != "sampling")
    }

    /// A program of Python's; it says "ready", waits for a line's time, and does `work`.
    private func start(_ work: String, in group: any MemoryGroup) throws -> GuardedProcess {
        var specification = ChildProcess.Specification(
            "python3", ["-c", work], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
        specification.standardOutput = .null
        specification.standardError = .null
        return try GuardedProcess.spawn(
            specification, guardExecutable: try BuiltProgram.guardProgram, grace: .seconds(1),
            memory: group)
    }

    @Test("A program that takes too much is ended, and it is said why", arguments: ways)
    func limit(way: String) async throws {
        let groups = groups(way)
        let group = groups.makeGroup()
        group.begin(limitInBytes: 96 << 20)
        let hungry = try start(
            """
            import time
            kept = []
            while True:
                kept.append(bytearray(4 << 20))
                time.sleep(0.01)
            """, in: group)
        #expect(await hungry.wait() == .signal(SIGKILL))
        let use = group.use()
        #expect(use.wasExceeded)
        #expect(use.limitInBytes == 96 << 20)
        #expect((64 << 20...256 << 20).contains(use.peakInBytes), "\(use.peakInBytes)")
        group.close()
        groups.close()
    }

    @Test("What a program's children take counts, also when it left them behind", arguments: ways)
    func children(way: String) async throws {
        let groups = groups(way)
        let group = groups.makeGroup()
        group.begin(limitInBytes: 128 << 20)
        let parent = try start(
            """
            import os, time
            for _ in range(3):
                if os.fork() == 0:
                    if os.fork() == 0:
                        os.setsid()
                        kept = bytearray(64 << 20)
                        for place in range(0, len(kept), 4096): kept[place] = 1
                        time.sleep(60)
                    os._exit(0)
            time.sleep(60)
            """, in: group)
        // The kernel may end one member only: then the others are under the limit again.
        var waited = 0
        while !group.use().wasExceeded, waited < 1_000 {
            try await Task.sleep(for: .milliseconds(10))
            waited += 1
        }
        #expect(group.use().wasExceeded)
        await parent.killNow()
        group.close()
        groups.close()
    }

    @Test(
        "A program within its limit lives, and each piece of work has its own peak", arguments: ways
    )
    func peaks(way: String) async throws {
        let groups = groups(way)
        let group = groups.makeGroup()
        let program = try start(
            """
            import signal, time
            def work(*_):
                kept = bytearray(96 << 20)
                for place in range(0, len(kept), 4096): kept[place] = 1
                time.sleep(0.3)
            signal.signal(signal.SIGUSR2, work)
            while True: time.sleep(0.05)
            """, in: group)
        try await Task.sleep(for: .milliseconds(500))
        group.begin(limitInBytes: 512 << 20)
        program.process.signal(SIGUSR2)
        try await Task.sleep(for: .seconds(1))
        let first = group.use()
        #expect(first.peakInBytes > 96 << 20 && !first.wasExceeded, "\(first)")
        group.begin(limitInBytes: 256 << 20)
        try await Task.sleep(for: .milliseconds(300))
        let second = group.use()
        #expect(second.peakInBytes < 96 << 20 && second.limitInBytes == 256 << 20, "\(second)")
        #expect(program.process.isRunning)
        group.begin(limitInBytes: 1 << 20)
        #expect(await program.wait() == .signal(SIGKILL))
        #expect(group.use().wasExceeded)
        group.close()
        groups.close()
    }

    @Test("Closing leaves no control group behind, and takes what the dead have left")
    func leavesNothing() throws {
        let groups = MemoryGroups(totalInBytes: nil)
        let group = groups.makeGroup()
        group.close()
        groups.close()
        let again = MemoryGroups(totalInBytes: nil)
        #expect(again.kind == groups.kind)
        again.close()
    }
}
