import Jobs
import Synchronization

/// A job store in virtual time that keeps a log of what it took, so that it can forget the end of
/// it as Redis does when it crashes, and so that the log can be replayed on another store.
final class SimulatedStore {
    struct Entry: Sendable {
        let time: Int64
        let call: StoreCall
        let reply: StoreReply
    }

    private let clock: VirtualClock
    private let lives: TaskLives
    private var store: any JobStore
    private(set) var log: [Entry] = []
    var checker = HistoryChecker()

    init(lives: TaskLives) {
        let clock = VirtualClock()
        self.clock = clock
        self.lives = lives
        store = InMemoryJobStore(now: { clock.now }, lives: lives)
    }

    /// - Parameter clock: what the store takes for the time; nil: `time`.
    func answer(_ call: StoreCall, at time: Int64, clock error: Int64? = nil) async -> StoreReply {
        clock.set(error ?? time)
        let reply = await store.answer(call)
        log.append(Entry(time: time, call: call, reply: reply))
        checker.observe(call, reply, at: time)
        return reply
    }

    /// Goes back to what stood in the store at `time`. Answers how many calls are forgotten.
    func forget(after time: Int64) async -> Int {
        let kept = log.prefix { $0.time <= time }
        let forgotten = log.count - kept.count
        store = InMemoryJobStore(now: { [clock] in clock.now }, lives: lives)
        for entry in kept {
            clock.set(entry.time)
            let reply = await store.answer(entry.call)
            checker.expect(
                reply == entry.reply, .memory, "the store answers a replay otherwise",
                at: entry.time)
        }
        checker.rewind(to: kept)
        log = Array(kept)
        return forgotten
    }
}

/// The store's clock: it stands still until the history moves it.
final class VirtualClock: Sendable {
    private let time = Mutex(HistoryPlan.start)

    var now: Int64 { time.withLock { $0 } }

    func set(_ now: Int64) { time.withLock { $0 = now } }
}
