import Foundation

/// A thread of our own, so that blocking calls never hold one of Swift's cooperative threads.
enum RedisThread {
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // hiredis writes with write(2): a server that hung up would otherwise end the process.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            body()
        }
        thread.name = name
        thread.stackSize = 512 << 10
        thread.start()
    }
}

/// Growing waits between attempts to connect, with jitter so that a fleet does not come back at
/// once.
struct Backoff {
    private var wait = Backoff.shortest
    private static let shortest = Duration.milliseconds(50)
    private static let longest = Duration.seconds(1)

    mutating func reset() { wait = Backoff.shortest }

    /// The next wait: half to the whole of a span that doubles up to a second.
    mutating func next() -> Duration {
        defer { wait = min(wait * 2, Backoff.longest) }
        return wait * Double.random(in: 0.5...1)
    }
}

/// Blocks the calling thread, which is one of ours.
func sleepBriefly(_ duration: Duration) {
    usleep(UInt32(max(0, duration.inMilliseconds)) * 1_000)
}
