internal import CLinuxProcess
import Glibc
import Synchronization

/// Starts a detached thread with every signal unblocked except those the process handles elsewhere.
package func startThread(
    named name: String = "manta", _ body: @escaping @Sendable () -> Void
) {
    let box = Unmanaged.passRetained(ThreadBody(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // The default of 8 MiB is address space only; children and pumps need little of it.
    pthread_attr_setstacksize(&attributes, 512 << 10)
    var thread = pthread_t()
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    pthread_attr_destroy(&attributes)
    precondition(code == 0, "the system refused a thread: \(String(cString: strerror(code)))")
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A counting semaphore for plain threads.
package final class Semaphore: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<sem_t>

    package init() {
        pointer = .allocate(capacity: 1)
        sem_init(pointer, 0, 0)
    }

    deinit {
        sem_destroy(pointer)
        pointer.deallocate()
    }

    package func signal() { sem_post(pointer) }
    package func wait() { while sem_wait(pointer) != 0 && errno == EINTR {} }
}
