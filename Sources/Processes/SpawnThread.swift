internal import CLinuxProcess
import Glibc
import Synchronization

/// The thread all children are forked from. It never ends, so neither does the parenthood that a
/// parent-death signal watches.
final class SpawnThread: Sendable {
    static let shared = SpawnThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let wakeups: (read: Int32, write: Int32)

    private init() {
        var ends: [Int32] = [-1, -1]
        let code = manta_pipe(&ends)
        precondition(code == 0, "no descriptors left for the spawn thread")
        wakeups = (ends[0], ends[1])
        startThread { [self] in loop() }
    }

    /// Runs `body` there and waits for it.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let slot = Slot<Value>()
        let done = Semaphore()
        jobs.withLock {
            $0.append {
                let result = Result { try body() }
                slot.value.withLock { $0 = result }
                done.signal()
            }
        }
        var byte: UInt8 = 1
        while write(wakeups.write, &byte, 1) < 0 && errno == EINTR {}
        done.wait()
        guard let result = slot.value.withLock({ $0 }) else {
            throw ProcessError(executable: "", cause: "no answer")
        }
        return try result.get()
    }

    private func loop() {
        while true {
            var byte: UInt8 = 0
            while read(wakeups.read, &byte, 1) < 0 && errno == EINTR {}
            let next = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            next?()
        }
    }
}

private final class Slot<Value: Sendable>: Sendable {
    let value = Mutex<Result<Value, any Error>?>(nil)
}
