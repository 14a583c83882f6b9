import Synchronization

extension HelperPool {
    /// Divides things, of which each has the parts from its own of `starts` to the next, into runs:
    /// single things, or as many as have up to `size` parts together. What a thread takes at once.
    static func runs<Start: FixedWidthInteger>(
        of starts: UnsafeBufferPointer<Start>, size: Start
    ) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var first = 0
        while first + 1 < starts.count {
            var end = first + 1
            while end + 1 < starts.count, starts[end + 1] - starts[first] <= size { end += 1 }
            runs.append(first..<end)
            first = end
        }
        return runs
    }

    /// What two closures give, which may run side by side.
    func both<First: Sendable, Second: Sendable>(
        _ first: @Sendable () -> First, _ second: @Sendable () -> Second
    ) -> (First, Second) {
        let made = Mutex<Second?>(nil)
        let found = Mutex<First?>(nil)
        forEach(2, threads: Self.loadThreadCount) { index, _ in
            if index == 0 {
                let value = first()
                found.withLock { $0 = value }
            } else {
                let value = second()
                made.withLock { $0 = value }
            }
        }
        // Both have run; the closures are asked again only for the compiler's sake.
        return (found.withLock { $0 } ?? first(), made.withLock { $0 } ?? second())
    }
}
