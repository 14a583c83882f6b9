internal import CLinuxProcess
import Glibc
import Synchronization

/// A program under a guard (`manta guard`): when it ends, or we do, nothing it started stays
/// behind.
package final class GuardedProcess: Sendable {
    /// The guard; its exit status is the program's own.
    package let process: ChildProcess
    /// The end of the lifeline that only we hold; -1 once let go.
    private let lifeline: Mutex<Int32>

    private init(process: ChildProcess, lifeline: Int32) {
        self.process = process
        self.lifeline = Mutex(lifeline)
    }

    deinit {
        letGo()
    }

    /// - Parameters:
    ///   - specification: what to run; its `extraDescriptors` must be empty.
    ///   - guardExecutable: a program that answers to `guard` (our own binary).
    ///   - grace: between SIGTERM and SIGKILL when the program is asked to end.
    ///   - memory: what the program and all it starts may take; nil: nobody counts.
    package static func spawn(
        _ specification: ChildProcess.Specification, guardExecutable: String, grace: Duration,
        memory: (any MemoryGroup)? = nil
    ) throws -> GuardedProcess {
        precondition(specification.extraDescriptors.isEmpty, "descriptor 3 is the lifeline")
        var ends: [Int32] = [-1, -1]
        guard manta_pipe(&ends) == 0 else {
            throw ProcessError(specification.executable, errno: errno)
        }
        defer { close(ends[0]) }
        var guarded = specification
        guarded.executable = guardExecutable
        let entrance = memory?.entrance ?? -1
        guarded.arguments =
            ["guard", "3", entrance < 0 ? "-1" : "4", String(grace.inMilliseconds), "--"]
            + [specification.executable] + specification.arguments
        guarded.extraDescriptors = [ends[0]] + (entrance < 0 ? [] : [entrance])
        // The guard must outlive us by the moments it needs to clean up.
        guarded.deathSignal = nil
        do {
            let process = try ChildProcess.spawn(guarded)
            memory?.watch(process)
            return GuardedProcess(process: process, lifeline: ends[1])
        } catch {
            close(ends[1])
            throw error
        }
    }

    /// Asks the program to end (SIGTERM, after the grace SIGKILL) and waits for it.
    @discardableResult
    package func terminate() async -> ProcessExit {
        letGo()
        return await process.wait()
    }

    /// Kills the program and everything it started, at once.
    @discardableResult
    package func killNow() async -> ProcessExit {
        process.signal(SIGUSR1)
        return await process.wait()
    }

    package func wait() async -> ProcessExit { await process.wait() }

    private func letGo() {
        lifeline.withLock {
            if $0 >= 0 { close($0) }
            $0 = -1
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    package var inMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}
