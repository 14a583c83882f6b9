/// The different thresholds of every column of an ensemble in ascending order, and the place of
/// each inner node's threshold among them: sorted once, by radix, for all groups of a
/// `BlockLayout`.
struct Cuts {
    /// The places of column c's cuts: `starts[c] ..< starts[c + 1]`.
    private(set) var starts: [Int]
    /// The thresholds, column after column.
    private(set) var values: [Float] = []
    /// Per inner node the place of its threshold in `values`.
    private(set) var places: [Int32]
    /// The inner nodes in the order of their columns.
    private let order: [UInt64]

    /// An inner node's threshold as an integer of the same order, above the node's number.
    private typealias Item = UInt64

    init(_ inner: InnerNodes, _ tests: ScoringInputs.TestsView, columnCount: Int) {
        starts = Array(repeating: 0, count: columnCount + 1)
        places = Array(repeating: 0, count: inner.count)
        var items = [Item](unsafeUninitializedCapacity: inner.count) { items, count in
            for (number, node) in inner.nodes.enumerated() {
                let key = FloatSorting.key(of: tests.threshold(of: Int(node)) + 0)
                items[number] = Item(key) << 32 | Item(number)
            }
            count = inner.count
        }
        for shift in [Item(32), 43, 54] {
            items = Self.sorted(items, bucketCount: 2_048) {
                Int(truncatingIfNeeded: $0 >> shift & 2_047)
            }
        }
        order = inner.columns.withUnsafeBufferPointer { columns in
            Self.sorted(items, bucketCount: columnCount) { Int(columns[Self.number($0)]) }
        }
        place(inner, tests)
    }

    /// The number of an item's inner node.
    @inline(__always)
    private static func number(_ item: Item) -> Int { Int(UInt32(truncatingIfNeeded: item)) }

    /// A stable pass of a radix sort.
    @inline(__always)
    private static func sorted(
        _ items: [Item], bucketCount: Int, bucket: (Item) -> Int
    ) -> [Item] {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: bucketCount + 1) { ends in
            ends.initialize(repeating: 0)
            for item in items { ends[bucket(item) &+ 1] &+= 1 }
            for index in 0..<bucketCount { ends[index &+ 1] &+= ends[index] }
            return [Item](unsafeUninitializedCapacity: items.count) { sorted, count in
                for item in items {
                    let bucket = bucket(item)
                    sorted[ends[bucket]] = item
                    ends[bucket] &+= 1
                }
                count = items.count
            }
        }
    }

    /// Gives equal thresholds of a column one place.
    private mutating func place(_ inner: InnerNodes, _ tests: ScoringInputs.TestsView) {
        let order = order
        var starts = starts
        places.withUnsafeMutableBufferPointer { places in
            values = [Float](unsafeUninitializedCapacity: inner.count) { values, valueCount in
                var last: (column: Int, bits: Item) = (-1, 0)
                var count = 0
                for item in order {
                    let number = Self.number(item)
                    let column = Int(inner.columns[number])
                    if column != last.column {
                        for skipped in last.column + 1..<column + 1 { starts[skipped] = count }
                    }
                    let isNew = column != last.column || item >> 32 != last.bits
                    count &+= isNew ? 1 : 0
                    if isNew { values[count &- 1] = tests.threshold(of: Int(inner.nodes[number])) }
                    places[number] = Int32(truncatingIfNeeded: count &- 1)
                    last = (column, item >> 32)
                }
                for column in last.column + 1..<starts.count { starts[column] = count }
                valueCount = count
            }
        }
        self.starts = starts
    }

    /// The inner nodes tree by tree, those of a tree in the order of their columns.
    func numbersByColumn(_ inner: InnerNodes) -> [Int32] {
        var trees = [Int32](repeating: 0, count: inner.count)
        for tree in 0..<inner.starts.count - 1 {
            for number in inner.starts[tree]..<inner.starts[tree + 1] {
                trees[number] = Int32(truncatingIfNeeded: tree)
            }
        }
        var next = inner.starts
        return [Int32](unsafeUninitializedCapacity: inner.count) { numbers, count in
            next.withUnsafeMutableBufferPointer { next in
                for item in order {
                    let number = Self.number(item)
                    let tree = Int(trees[number])
                    numbers[next[tree]] = Int32(truncatingIfNeeded: number)
                    next[tree] &+= 1
                }
            }
            count = inner.count
        }
    }
}
