internal import CLinuxProcess
import Glibc

/// Runs one command and leaves nothing behind: the body of `manta guard`.
///
/// The guard is the subreaper of everything the command starts. When the command ends, its orphans
/// are killed. When the lifeline (a pipe whose other end only our starter holds) ends, which it
/// does however the starter died, the command gets SIGTERM and, after the grace, everything gets
/// SIGKILL. SIGUSR1 kills everything at once; other signals are passed on to the command's group.
/// The guard then ends the way the command did. It is single-threaded and uses no Foundation, so
/// that it starts in a few milliseconds.
package enum Guard {
    /// - Parameters:
    ///   - lifeline: a descriptor to watch; -1: none.
    ///   - entrance: of the memory group that the command belongs into; -1: none. The guard stays
    ///     outside, to see what became of it.
    ///   - graceInMilliseconds: between SIGTERM and SIGKILL when the lifeline ends.
    package static func run(
        command: [String], lifeline: Int32, entrance: Int32, graceInMilliseconds: Int32
    ) -> Int32 {
        guard let executable = command.first else { return 2 }
        _ = manta_become_subreaper()
        blockSignals()
        guard let path = try? ExecutablePath.resolve(executable, currentEnvironment()) else {
            writeError("manta: \(executable): no such program on PATH\n")
            return 127
        }
        var child: pid_t = 0
        let code = spawn(path: path, command: command, entrance: entrance, &child)
        if entrance >= 0 { close(entrance) }
        guard code == 0 else {
            writeError("manta: \(executable): \(String(cString: strerror(code)))\n")
            return code == ENOENT ? 127 : 126
        }
        let status = watch(child, lifeline: lifeline, graceInMilliseconds: graceInMilliseconds)
        killDescendants()
        return end(as: status)
    }

    private static let handledSignals = [
        SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
    ]

    private static func blockSignals() {
        var handled = sigset_t()
        sigemptyset(&handled)
        for signal in handledSignals { sigaddset(&handled, signal) }
        sigprocmask(SIG_BLOCK, &handled, nil)
    }

    private static func spawn(
        path: String, command: [String], entrance: Int32, _ child: inout pid_t
    ) -> Int32 {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        let descriptors: [Int32] = [0, 1, 2]
        return path.withCString { path in
            arguments.withUnsafeMutableBufferPointer { arguments in
                descriptors.withUnsafeBufferPointer { descriptors in
                    var request = manta_spawn_request(
                        path: path, argv: arguments.baseAddress, envp: manta_environment(),
                        working_directory: nil, descriptors: descriptors.baseAddress,
                        descriptor_count: 3, new_session: 0, new_group: 1, death_signal: SIGKILL,
                        group_entrance: entrance)
                    return manta_spawn(&request, &child)
                }
            }
        }
    }

    /// Waits for the child, passing signals on; answers its wait status.
    private static func watch(
        _ child: pid_t, lifeline: Int32, graceInMilliseconds: Int32
    ) -> Int32 {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in handledSignals { sigaddset(&signals, signal) }
        let signalDescriptor = signalfd(-1, &signals, Int32(SFD_CLOEXEC))
        var polled = [
            pollfd(fd: signalDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0),
        ]
        var deadline: Int64?
        while true {
            if let status = reap(child) { return status }
            let timeout = deadline.map { max(0, $0 - now()) } ?? -1
            _ = poll(&polled, 2, Int32(timeout))
            if let limit = deadline, now() >= limit {
                kill(-child, SIGKILL)
                deadline = now() + 1_000
            }
            if polled[0].revents != 0 { passOn(from: signalDescriptor, to: child) }
            if polled[1].fd >= 0 && polled[1].revents != 0 {
                polled[1].fd = -1
                kill(-child, graceInMilliseconds > 0 ? SIGTERM : SIGKILL)
                deadline = now() + Int64(graceInMilliseconds)
            }
        }
    }

    private static func passOn(from descriptor: Int32, to child: pid_t) {
        var information = signalfd_siginfo()
        guard read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0 else {
            return
        }
        let number = Int32(information.ssi_signo)
        if number == SIGUSR1 {
            kill(-child, SIGKILL)
        } else if number != SIGCHLD {
            kill(-child, number)
        }
    }

    /// Reaps whatever ended; answers the child's status once it is among them.
    private static func reap(_ child: pid_t) -> Int32? {
        var found: Int32?
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return found }
            if pid == child { found = status }
        }
    }

    /// Kills until no child is left. New children appear while their parents die, so it repeats;
    /// the bound only matters against something that forks faster than it can be killed.
    private static func killDescendants() {
        for _ in 0..<1_000 {
            let children = ProcessTree.children(of: getpid())
            if children.isEmpty { return }
            for pid in children { kill(pid, SIGKILL) }
            var status: Int32 = 0
            for _ in children { _ = waitpid(-1, &status, 0) }
        }
    }

    /// Ends this process with the child's status, by the same signal when it was one.
    private static func end(as status: Int32) -> Int32 {
        if manta_wait_exited(status) != 0 { return manta_wait_exit_code(status) }
        let number = manta_wait_signal(status)
        var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
        signal(number, SIG_DFL)
        var one = sigset_t()
        sigemptyset(&one)
        sigaddset(&one, number)
        kill(getpid(), number)
        sigprocmask(SIG_UNBLOCK, &one, nil)
        return 128 + number
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func currentEnvironment() -> [String: String] {
        guard let path = getenv("PATH") else { return [:] }
        return ["PATH": String(cString: path)]
    }

    private static func writeError(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    }
}

extension Guard {
    /// Runs the guard when the arguments ask for it (`guard LIFELINE ENTRANCE GRACE -- COMMAND…`,
    /// descriptors and milliseconds) and does not return; called before anything else is set up, so
    /// that a guard costs no start-up time.
    package static func runIfAsked(_ arguments: [String]) {
        guard arguments.count >= 7, arguments[1] == "guard", arguments[5] == "--",
            let lifeline = Int32(arguments[2]), let entrance = Int32(arguments[3]),
            let grace = Int32(arguments[4])
        else { return }
        for descriptor in [lifeline, entrance] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        exit(
            run(
                command: Array(arguments[6...]), lifeline: lifeline, entrance: entrance,
                graceInMilliseconds: grace))
    }
}
