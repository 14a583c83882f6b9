internal import CLinuxProcess
import Glibc
import Synchronization

/// A memory group that the kernel keeps: a directory of the control group file system.
final class ControlGroup: MemoryGroup {
    private struct State {
        var limitInBytes: Int64?
        /// The kernel's count of kills when the piece of work began.
        var killsBefore: Int64 = 0
        var wasRefused = false
        var guardian: ChildProcess?
        var isClosed = false
    }
    private let directory: String
    private let version: ControlGroupVersion
    private let events: OpenControlGroupFile
    private let peak: OpenControlGroupFile
    private let limit: OpenControlGroupFile
    private let state = Mutex(State())
    let entrance: Int32

    /// - Throws: `ProcessError` when the kernel makes no such group.
    init(directory: String, version: ControlGroupVersion) throws(ProcessError) {
        guard mkdir(directory, 0o755) == 0 else { throw ProcessError(directory, errno: errno) }
        let descriptor = open("\(directory)/cgroup.procs", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            rmdir(directory)
            throw ProcessError(directory, errno: code)
        }
        self.directory = directory
        self.version = version
        entrance = descriptor
        events = OpenControlGroupFile("\(directory)/\(version.eventsFile)")
        peak = OpenControlGroupFile("\(directory)/\(version.peakFile)")
        limit = OpenControlGroupFile("\(directory)/\(version.limitFile)")
        // In the newer version the kernel then ends all members, not the largest one.
        if version == .two { _ = ControlGroupFile.write("1", to: "\(directory)/memory.oom.group") }
    }

    deinit { close() }

    func watch(_ guardian: ChildProcess) { state.withLock { $0.guardian = guardian } }

    func begin(limitInBytes: Int64?) {
        let kills = killCount
        _ = peak.write("0")
        // A negative number lifts the limit in the older version, a word in the newer one.
        let text = limitInBytes.map { "\($0)" } ?? version.noLimit
        let isSet = limit.write(text)
        let guardian = state.withLock { state in
            state.limitInBytes = limitInBytes
            state.killsBefore = kills
            state.wasRefused = !isSet && limitInBytes != nil
            return state.wasRefused ? state.guardian : nil
        }
        // The older version refuses a limit that is below what cannot be given back.
        guardian?.signal(SIGUSR1)
    }

    func use() -> MemoryUse {
        let kills = killCount
        let peak = ControlGroupFile.number(of: peak.text) ?? 0
        return state.withLock { state in
            MemoryUse(
                peakInBytes: peak, limitInBytes: state.limitInBytes,
                wasExceeded: state.wasRefused || kills > state.killsBefore)
        }
    }

    func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        Glibc.close(entrance)
        // Members that were just killed leave a moment later; what stays goes with the parent.
        for _ in 0..<20 where rmdir(directory) != 0 && errno == EBUSY { usleep(5_000) }
    }

    private var killCount: Int64 {
        ControlGroupFile.number(named: "oom_kill", of: events.text) ?? 0
    }
}

/// Which of the kernel's two interfaces for control groups keeps memory on this machine.
enum ControlGroupVersion: String, Sendable {
    case one = "control groups (v1)"
    case two = "control groups (v2)"

    var limitFile: String { self == .one ? "memory.limit_in_bytes" : "memory.max" }
    var peakFile: String { self == .one ? "memory.max_usage_in_bytes" : "memory.peak" }
    var eventsFile: String { self == .one ? "memory.oom_control" : "memory.events" }
    var noLimit: String { self == .one ? "-1" : "max" }
}
