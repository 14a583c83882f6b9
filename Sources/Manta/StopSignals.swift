@preconcurrency import Glibc
import JobChannel
import Synchronization

/// Turns SIGTERM and SIGINT into a cancelled job: the first asks, a second one or the end of the
/// grace ends the process.
///
/// The handler may only write a byte; a thread of its own does the rest.
enum StopSignals {
    /// How long a job may take to end after the first signal. The worker kills it at about the same
    /// time.
    static let graceInSeconds: Int32 = 5

    private static let writeEnd = Atomic<Int32>(-1)
    private static let received = Atomic<Int32>(0)

    /// The signal that asked this process to end, as an exit code; nil when none did.
    static var exitStatus: Int32? {
        let signal = received.load(ordering: .acquiring)
        return signal == 0 ? nil : 128 + signal
    }

    /// Call once, before the job's closure starts.
    static func watch(_ onStop: @escaping @Sendable () -> Void) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { return }
        writeEnd.store(ends[1], ordering: .releasing)
        let readEnd = ends[0]
        guard (try? startThread({ waitForSignals(readEnd, onStop) })) != nil else { return }
        for number in [SIGTERM, SIGINT] {
            signal(number) { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(StopSignals.writeEnd.load(ordering: .relaxed), &byte, 1)
                errno = saved
            }
        }
    }

    private static func waitForSignals(_ descriptor: Int32, _ onStop: () -> Void) {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) != 1 {}
        received.store(Int32(byte), ordering: .releasing)
        onStop()
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, graceInSeconds * 1_000)
        ExitStatus.leaveAtOnce(128 + Int32(byte))
    }
}
