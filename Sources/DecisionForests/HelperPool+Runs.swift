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
}
