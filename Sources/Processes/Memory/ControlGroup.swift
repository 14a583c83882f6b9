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
        // In the newer version the kernel then ends all members, not the largest one.
        if version == .two { _ = ControlGroupFile.write("1", to: "\(directory)/memory.oom.group") }
    }

    deinit { close() }

    func watch(_ guardian: ChildProcess) { state.withLock { $0.guardian = guardian } }

    func begin(limitInBytes: Int64?) {
        let kills = killCount
        _ = ControlGroupFile.write("0", to: "\(directory)/\(version.peakFile)")
        // A negative number lifts the limit in the older version, a word in the newer one.
        let text = limitInBytes.map { "\($0)" } ?? version.noLimit
        let isSet = ControlGroupFile.write(text, to: "\(directory)/\(version.limitFile)")
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
        let peak = ControlGroupFile.number(in: "\(directory)/\(version.peakFile)") ?? 0
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
        ControlGroupFile.number(named: "oom_kill", in: "\(directory)/\(version.eventsFile)") ?? 0
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

/// Small files of the control group file system.
enum ControlGroupFile {
    /// Answers whether the kernel took it.
    static func write(_ text: String, to path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }

    /// A file that holds one number.
    static func number(in path: String) -> Int64? {
        Int64(text(of: path).filter { !$0.isWhitespace })
    }

    /// The number behind a name, a line each: `oom_kill 3`.
    static func number(named name: String, in path: String) -> Int64? {
        for line in text(of: path).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return Int64(words[1]) }
        }
        return nil
    }

    static func text(of path: String) -> String {
        String(decoding: ProcessTree.read(path), as: UTF8.self)
    }
}
