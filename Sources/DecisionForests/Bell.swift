internal import CProcessor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A lock, and a condition variable that those who hold it may sleep on.
final class Bell: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Looks for news for about 50 microseconds, less than waking a sleeper costs: what is worth
    /// doing before one goes to sleep. What `news` gives first, nil if that takes longer.
    @inline(__always)
    static func look<News>(for news: () -> News?) -> News? {
        for _ in 0..<1_500 {
            if let found = news() { return found }
            manta_pause()
        }
        return nil
    }

    /// Wakes all who wait.
    func ring() {
        withLock { _ = pthread_cond_broadcast(condition) }
    }

    /// Wakes as many of those who wait.
    func ring(count: Int) {
        withLock { for _ in 0..<count { pthread_cond_signal(condition) } }
    }

    /// Sleeps until `isOver` holds, which is asked under the lock and after every ring.
    func wait(until isOver: () -> Bool) {
        waitForValue { isOver() ? () : nil }
    }

    /// What `body` gives, run alone.
    func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Sleeps until `value` gives one, which is asked under the lock and after every ring.
    func waitForValue<Value>(_ value: () -> Value?) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let found = value() { return found }
            pthread_cond_wait(condition, mutex)
        }
    }
}
