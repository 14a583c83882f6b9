import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Loops over threads of our own: learning is pure computation, which would starve Swift's
/// cooperative pool.
package enum Parallel {
    /// Threads that run at once on this machine.
    package static var coreCount: Int {
        max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// Runs `body` once for every index below `count`; returns when all are done.
    ///
    /// `worker` in 0 ..< threads tells which thread runs it: what `body` keeps per worker needs no
    /// lock. Indices are handed out in order, each to the next free thread; where the system gives
    /// fewer threads, the others do the work.
    static func forEach(
        _ count: Int, threads: Int, _ body: @Sendable (_ index: Int, _ worker: Int) -> Void
    ) {
        let threadCount = min(threads, count)
        guard threadCount > 1 else {
            for index in 0..<count { body(index, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let loop = Loop(count: count, body: body)
            var started: [pthread_t] = []
            for worker in 1..<threadCount {
                if let thread = start(loop, worker: worker) { started.append(thread) }
            }
            loop.run(worker: 0)
            for thread in started { pthread_join(thread, nil) }
        }
    }

    /// `body` of every index below `count`, in order.
    static func map<Element: Sendable>(
        _ count: Int, threads: Int, _ body: @Sendable (_ index: Int, _ worker: Int) -> Element
    ) -> [Element] {
        [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            nonisolated(unsafe) let slots = buffer
            forEach(count, threads: threads) { index, worker in
                slots.initializeElement(at: index, to: body(index, worker))
            }
            initialized = count
        }
    }

    private final class Loop: Sendable {
        let count: Int
        let body: @Sendable (Int, Int) -> Void
        let next = Atomic<Int>(0)

        init(count: Int, body: @escaping @Sendable (Int, Int) -> Void) {
            self.count = count
            self.body = body
        }

        func run(worker: Int) {
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                body(index, worker)
            }
        }
    }

    /// What a new thread is given.
    private final class Errand: Sendable {
        let loop: Loop
        let worker: Int

        init(loop: Loop, worker: Int) {
            self.loop = loop
            self.worker = worker
        }
    }

    /// A new thread that takes part in `loop`, nil if the system has none to give.
    private static func start(_ loop: Loop, worker: Int) -> pthread_t? {
        let errand = Unmanaged.passRetained(Errand(loop: loop, worker: worker))
        guard let thread = startThread(errand.toOpaque()) else {
            errand.release()
            return nil
        }
        return thread
    }

    private static func startThread(_ errand: UnsafeMutableRawPointer) -> pthread_t? {
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let code = pthread_create(&thread, nil, { Parallel.run(errand: $0) }, errand)
        return code == 0 ? thread : nil
    }

    private static func run(errand: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let errand {
            let errand = Unmanaged<Errand>.fromOpaque(errand).takeRetainedValue()
            errand.loop.run(worker: errand.worker)
        }
        return nil
    }
}
