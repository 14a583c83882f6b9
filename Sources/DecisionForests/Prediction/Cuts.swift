/// The different thresholds of every column of an ensemble in ascending order, and the place of
/// each inner node's threshold among them: sorted once, by radix, for all groups of a
/// `BlockLayout`.
struct Cuts {
    /// The places of column c's cuts: `starts[c] ..< starts[c + 1]`.
    private(set) var starts: [Int]
    /// The thresholds, column after column.
    private(set) var values: [Float] = []
    /// Per inner node the place of its threshold in `values`.
    private(set) var places: [Int32] = []
    /// The inner nodes in the order of their columns.
    private var order: [Int32] = []

    /// An inner node's threshold as an integer of the same order, above the node's number.
    private typealias Item = UInt64
    private typealias Items = UnsafeMutablePointer<Item>

    init(_ inner: InnerNodes, _ tests: ScoringInputs.TestsView, columnCount: Int) {
        starts = Array(repeating: 0, count: columnCount + 1)
        guard inner.count > 0 else { return }
        inner.columns.withUnsafeBufferPointer { columns in
            withUnsafeTemporaryAllocation(of: Item.self, capacity: 2 * inner.count) { room in
                guard let items = room.baseAddress, let columns = columns.baseAddress else {
                    return
                }
                let spare = items + inner.count
                Self.sortByThreshold(inner, tests, items, spare)
                let ends = Self.sort(spare, to: items, inner.count, bucketCount: columnCount) {
                    Int(columns[Self.number($0)])
                }
                place(UnsafeBufferPointer(start: items, count: inner.count), columnEnds: ends)
            }
        }
    }

    /// The number of an item's inner node.
    @inline(__always)
    private static func number(_ item: Item) -> Int { Int(UInt32(truncatingIfNeeded: item)) }

    /// Writes the items of all inner nodes into `sorted`; `items` has room for as many.
    private static func sortByThreshold(
        _ inner: InnerNodes, _ tests: ScoringInputs.TestsView, _ items: Items, _ sorted: Items
    ) {
        inner.nodes.withUnsafeBufferPointer { nodes in
            for number in 0..<nodes.count {
                let key = FloatSorting.key(of: tests.threshold(of: Int(nodes[number])) + 0)
                items[number] = Item(key) << 32 | Item(number)
            }
        }
        var (source, target) = (items, sorted)
        // Three passes, the last of which ends in `sorted`.
        for shift in [Item(32), 43, 54] {
            _ = sort(source, to: target, inner.count, bucketCount: 2_048) {
                Int(truncatingIfNeeded: $0 &>> shift & 2_047)
            }
            swap(&source, &target)
        }
    }

    /// A stable pass of a radix sort; where each bucket ends.
    @inline(__always)
    private static func sort(
        _ items: Items, to sorted: Items, _ count: Int, bucketCount: Int,
        bucket: (Item) -> Int
    ) -> [Int] {
        var ends = [Int](repeating: 0, count: bucketCount + 1)
        ends.withUnsafeMutableBufferPointer { ends in
            for index in 0..<count { ends[bucket(items[index]) &+ 1] &+= 1 }
            for index in 0..<bucketCount { ends[index &+ 1] &+= ends[index] }
            for index in 0..<count {
                let item = items[index]
                let bucket = bucket(item)
                sorted[ends[bucket]] = item
                ends[bucket] &+= 1
            }
        }
        return ends
    }

    /// Gives equal thresholds of a column one place. The items stand in the order of their columns
    /// and then of their thresholds.
    private mutating func place(_ items: UnsafeBufferPointer<Item>, columnEnds: [Int]) {
        var starts = starts
        var (values, order): ([Float], [Int32]) = ([], [])
        places = [Int32](unsafeUninitializedCapacity: items.count) { places, placeCount in
            values = [Float](unsafeUninitializedCapacity: items.count) { values, valueCount in
                order = [Int32](unsafeUninitializedCapacity: items.count) { order, orderCount in
                    var (count, item) = (0, 0)
                    for column in 0..<starts.count - 1 {
                        starts[column] = count
                        let end = columnEnds[column]
                        // No key: those of thresholds have 32 bits.
                        var last = Item.max
                        while item < end {
                            let (key, number) = (items[item] >> 32, Self.number(items[item]))
                            count &+= key == last ? 0 : 1
                            last = key
                            values[count &- 1] = FloatSorting.value(
                                of: UInt32(truncatingIfNeeded: key))
                            places[number] = Int32(truncatingIfNeeded: count &- 1)
                            order[item] = Int32(truncatingIfNeeded: number)
                            item &+= 1
                        }
                    }
                    starts[starts.count - 1] = count
                    valueCount = count
                    orderCount = items.count
                }
            }
            placeCount = items.count
        }
        (self.starts, self.values, self.order) = (starts, values, order)
    }

    /// The inner nodes tree by tree, those of a tree in the order of their columns.
    func numbersByColumn(_ inner: InnerNodes) -> [Int32] {
        var next = inner.starts
        return [Int32](unsafeUninitializedCapacity: inner.count) { numbers, count in
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: inner.count) { trees in
                for tree in 0..<inner.starts.count - 1 {
                    let own = inner.starts[tree]..<inner.starts[tree + 1]
                    trees[own].initialize(repeating: Int32(truncatingIfNeeded: tree))
                }
                next.withUnsafeMutableBufferPointer { next in
                    for number in order {
                        let tree = Int(trees[Int(number)])
                        numbers[next[tree]] = number
                        next[tree] &+= 1
                    }
                }
            }
            count = inner.count
        }
    }
}
