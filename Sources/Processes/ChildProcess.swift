internal import CLinuxProcess
import Glibc
import Synchronization

/// A running program started by this process, in a process group of its own.
///
/// Children start from one plain thread that lives as long as the process: their signal mask is
/// clear, and their parent-death signal (which the kernel ties to the forking thread) means what
/// its name says. Foundation's Process offers neither.
package final class ChildProcess: Sendable {
    /// What to run, and how it hangs together with us.
    package struct Specification: Sendable {
        /// Where a standard stream goes.
        package enum Output: Sendable {
            case null
            case inherit
            /// A pipe whose read end is `standardOutput` / `standardError`.
            case pipe
            /// Appended to the file, which is made when missing.
            case file(String)
            /// A descriptor of ours; it stays open here.
            case descriptor(Int32)
        }

        /// An absolute path, or a name that is looked up on PATH.
        package var executable: String
        package var arguments: [String]
        /// The whole environment of the child.
        package var environment: [String: String]
        package var workingDirectory: String?
        package var standardOutput: Output = .inherit
        package var standardError: Output = .inherit
        /// Descriptors of ours that become 3, 4, … of the child.
        package var extraDescriptors: [Int32] = []
        /// Sent to the child when this process ends, however it ends; nil: it lives on.
        package var deathSignal: Int32? = SIGKILL
        /// Whether the child leads a session of its own (no terminal), rather than only a group.
        package var isSessionLeader = false

        package init(
            _ executable: String, _ arguments: [String] = [], environment: [String: String]
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
        }
    }

    package let pid: Int32
    /// The read end of the child's pipe; -1 when it has none. Whoever reads it closes it.
    package let standardOutput: Int32
    package let standardError: Int32

    private enum Ending {
        case running([CheckedContinuation<ProcessExit, Never>])
        case ended(ProcessExit)
    }
    private let ending = Mutex(Ending.running([]))

    private init(pid: Int32, standardOutput: Int32, standardError: Int32) {
        self.pid = pid
        self.standardOutput = standardOutput
        self.standardError = standardError
    }

    /// Starts the program. Blocks for the time of a fork and an exec.
    package static func spawn(_ specification: Specification) throws -> ChildProcess {
        let child = try SpawnThread.shared.run { try fork(specification) }
        startThread { child.reap() }
        return child
    }

    /// The child's end. Any number of callers may wait.
    package func wait() async -> ProcessExit {
        await withCheckedContinuation { continuation in
            let known: ProcessExit? = ending.withLock { state in
                switch state {
                case .ended(let status): return status
                case .running(let waiting):
                    state = .running(waiting + [continuation])
                    return nil
                }
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    package var exitStatus: ProcessExit? {
        ending.withLock { if case .ended(let status) = $0 { status } else { nil } }
    }

    package var isRunning: Bool { exitStatus == nil }

    /// Sends a signal to the child's whole process group; nothing when it was reaped already.
    package func signal(_ number: Int32) {
        // Held so that the pid cannot be reaped, and given to another process, in between.
        ending.withLock { state in
            guard case .running = state else { return }
            if kill(-pid, number) != 0 { kill(pid, number) }
        }
    }

    /// SIGTERM to the group, SIGKILL after `grace`.
    @discardableResult
    package func terminate(grace: Duration = .seconds(5)) async -> ProcessExit {
        signal(SIGTERM)
        let killer = Task {
            try await Task.sleep(for: grace)
            signal(SIGKILL)
        }
        defer { killer.cancel() }
        return await wait()
    }

    private func reap() {
        var status: Int32 = 0
        // Left as a zombie until the lock is held: `signal` must not meet a recycled pid.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let waiting: [CheckedContinuation<ProcessExit, Never>]
        let result: ProcessExit
        (waiting, result) = ending.withLock { state in
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            let ended: ProcessExit =
                manta_wait_exited(status) != 0
                ? .code(manta_wait_exit_code(status)) : .signal(manta_wait_signal(status))
            defer { state = .ended(ended) }
            if case .running(let waiting) = state { return (waiting, ended) }
            return ([], ended)
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }
}

extension ChildProcess {
    private static func fork(_ specification: Specification) throws(ProcessError) -> ChildProcess {
        let path = try ExecutablePath.resolve(specification.executable, specification.environment)
        var ownedByUs: [Int32] = []
        var ownedByChild: [Int32] = []
        defer { for descriptor in ownedByChild { close(descriptor) } }
        func open(_ output: Specification.Output, inherited: Int32) throws(ProcessError) -> (
            child: Int32, ours: Int32
        ) {
            switch output {
            case .inherit: return (inherited, -1)
            case .descriptor(let descriptor): return (descriptor, -1)
            case .null:
                let descriptor = Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
                ownedByChild.append(descriptor)
                return (descriptor, -1)
            case .file(let file):
                let descriptor = Glibc.open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
                guard descriptor >= 0 else { throw ProcessError(file, errno: errno) }
                ownedByChild.append(descriptor)
                return (descriptor, -1)
            case .pipe:
                var ends: [Int32] = [-1, -1]
                guard manta_pipe(&ends) == 0 else { throw ProcessError(path, errno: errno) }
                ownedByChild.append(ends[1])
                ownedByUs.append(ends[0])
                return (ends[1], ends[0])
            }
        }
        do {
            let input = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
            ownedByChild.append(input)
            let output = try open(specification.standardOutput, inherited: 1)
            let error = try open(specification.standardError, inherited: 2)
            let pid = try exec(
                specification, path: path,
                descriptors: [input, output.child, error.child] + specification.extraDescriptors)
            return ChildProcess(
                pid: pid, standardOutput: output.ours, standardError: error.ours)
        } catch {
            for descriptor in ownedByUs { close(descriptor) }
            throw error
        }
    }

    private static func exec(
        _ specification: Specification, path: String, descriptors: [Int32]
    ) throws(ProcessError) -> Int32 {
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([specification.executable] + specification.arguments).map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] =
            specification.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for pointer in arguments + environment { free(pointer) }
        }
        var pid: pid_t = 0
        let code = path.withCString { path in
            arguments.withUnsafeMutableBufferPointer { arguments in
                environment.withUnsafeMutableBufferPointer { environment in
                    descriptors.withUnsafeBufferPointer { descriptors in
                        withOptionalCString(specification.workingDirectory) { directory in
                            var request = manta_spawn_request(
                                path: path, argv: arguments.baseAddress,
                                envp: environment.baseAddress, working_directory: directory,
                                descriptors: descriptors.baseAddress,
                                descriptor_count: Int32(descriptors.count),
                                new_session: specification.isSessionLeader ? 1 : 0, new_group: 1,
                                death_signal: specification.deathSignal ?? 0, group_entrance: -1)
                            return manta_spawn(&request, &pid)
                        }
                    }
                }
            }
        }
        guard code == 0 else { throw ProcessError(specification.executable, errno: code) }
        return pid
    }
}

private func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
