internal import Synchronization

/// Sends a live run's spool each second while something waits, and rests otherwise. While the
/// server is away the pauses grow, so that it is not stormed when it comes back.
final class SpoolTicker: Sendable {
    private let spool: RunSpool
    private let clock: any Clock<Duration>
    private let interval: Duration
    private let isTicking = Mutex(false)

    /// Between two tries while the server is away.
    static let pauseMax = Duration.seconds(15)

    init(_ spool: RunSpool, clock: any Clock<Duration>, interval: Duration) {
        (self.spool, self.clock, self.interval) = (spool, clock, interval)
    }

    /// Something waits now.
    func wake() {
        let isFirst = isTicking.withLock { isTicking in
            defer { isTicking = true }
            return !isTicking
        }
        guard isFirst else { return }
        // Holds the spool until all is sent, also after the run's end.
        Task { [self] in
            repeat { await tick() } while await !rests()
        }
    }

    private func tick() async {
        var pause = interval
        repeat {
            // Nobody cancels this task.
            try? await clock.sleep(for: pause + .milliseconds(Int64.random(in: 0...50)))
            await spool.drain()
            pause = min(SpoolTicker.pauseMax, pause * 2)
        } while await !spool.isDrained
    }

    /// Lies down when nothing waits. What was said while it did must not wait for the next word.
    private func rests() async -> Bool {
        isTicking.withLock { $0 = false }
        guard await !spool.isDrained else { return true }
        return isTicking.withLock { isTicking in
            defer { isTicking = true }
            return isTicking
        }
    }
}
