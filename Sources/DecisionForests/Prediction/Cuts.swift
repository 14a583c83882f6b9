/// The different thresholds of every column of an ensemble in ascending order, and the place of
/// each inner node's threshold among them: what layouts compare instead of numbers.
///
/// Nodes are dealt to their columns, and each column is sorted by radix where it fits the first
/// cache. Threads share both; the result does not depend on how.
struct Cuts {
    /// The places of column c's cuts: `starts[c] ..< starts[c + 1]`.
    private(set) var starts: [Int]
    /// The thresholds, column after column.
    private(set) var values: [Float] = []
    /// Per inner node the place of its threshold in `values`.
    private(set) var places: [Int32] = []
    /// The inner nodes in the order of their columns and then of their thresholds.
    private var order: [Int32] = []

    /// An inner node's threshold as an integer of the same order, above the node's number.
    typealias Item = UInt64
    private typealias Items = UnsafeMutablePointer<Item>

    /// Nodes that are worth a thread of their own.
    private static let shareSize = 2_048

    init(_ inner: InnerNodes, _ tests: ScoringInputs.TestsView, columnCount: Int) {
        starts = Array(repeating: 0, count: columnCount + 1)
        guard inner.count > 0 else { return }
        withUnsafeTemporaryAllocation(of: Item.self, capacity: 2 * inner.count) { room in
            guard let items = room.baseAddress else { return }
            let ends = Self.deal(inner, tests, columnCount: columnCount, to: items)
            let shares = ends.withUnsafeBufferPointer {
                HelperPool.runs(of: $0, size: Self.shareSize)
            }
            Self.sort(items, spare: items + inner.count, ends, shares, counts: &starts)
            // From the columns' numbers of cuts to where each column's stand.
            var total = 0
            for column in 0...columnCount {
                (starts[column], total) = (total, total + starts[column])
            }
            place(UnsafePointer(items), ends, shares)
        }
    }

    /// Writes the items of all inner nodes column by column, those of a column by their numbers.
    /// Where each column starts, and where the last one ends.
    private static func deal(
        _ inner: InnerNodes, _ tests: ScoringInputs.TestsView, columnCount: Int, to items: Items
    ) -> [Int] {
        let pieceCount = max(1, min(HelperPool.loadThreadCount, inner.count / shareSize))
        var starts = [Int](repeating: 0, count: columnCount + 1)
        // Per piece and column first how many nodes there are, then where the next one goes.
        var next = [Int32](repeating: 0, count: pieceCount * columnCount)
        next.withUnsafeMutableBufferPointer { next in
            guard let base = next.baseAddress else { return }
            nonisolated(unsafe) let (own, tests, items) = (base, tests, items)
            forEachPiece(of: inner.count, pieceCount) { piece, numbers in
                let own = own + piece * columnCount
                inner.columns.withUnsafeBufferPointer { columns in
                    for number in numbers { own[Int(columns[number])] &+= 1 }
                }
            }
            var total: Int32 = 0
            for column in 0..<columnCount {
                starts[column] = Int(total)
                for piece in 0..<pieceCount {
                    let place = piece * columnCount + column
                    (next[place], total) = (total, total &+ next[place])
                }
            }
            forEachPiece(of: inner.count, pieceCount) { piece, numbers in
                write(numbers, of: inner, tests, own + piece * columnCount, to: items)
            }
        }
        starts[columnCount] = inner.count
        return starts
    }

    /// Cuts `count` numbers into pieces for as many threads.
    private static func forEachPiece(
        of count: Int, _ pieceCount: Int,
        _ body: @Sendable (_ piece: Int, _ numbers: Range<Int>) -> Void
    ) {
        let size = (count + pieceCount - 1) / pieceCount
        HelperPool.shared.forEach(pieceCount, threads: pieceCount) { piece, _ in
            let first = min(count, piece * size)
            body(piece, first..<min(first + size, count))
        }
    }

    /// Writes the items of some inner nodes where `next` says for their columns.
    private static func write(
        _ numbers: Range<Int>, of inner: InnerNodes, _ tests: ScoringInputs.TestsView,
        _ next: UnsafeMutablePointer<Int32>, to items: Items
    ) {
        inner.nodes.withUnsafeBufferPointer { nodes in
            inner.columns.withUnsafeBufferPointer { columns in
                for number in numbers {
                    let column = Int(columns[number])
                    // −0 is +0, as it is where values are compared.
                    let key = FloatSorting.key(of: tests.threshold(of: Int(nodes[number])) + 0)
                    items[Int(next[column])] = Item(key) << 32 | Item(number)
                    next[column] &+= 1
                }
            }
        }
    }

    /// Sorts the items of each column and counts their different keys.
    private static func sort(
        _ items: Items, spare: Items, _ columnStarts: [Int], _ shares: [Range<Int>],
        counts: inout [Int]
    ) {
        counts.withUnsafeMutableBufferPointer { counts in
            nonisolated(unsafe) let (items, spare, counts) = (items, spare, counts)
            HelperPool.shared.forEach(shares.count, threads: HelperPool.loadThreadCount) {
                share, _ in
                for column in shares[share] {
                    let (first, end) = (columnStarts[column], columnStarts[column + 1])
                    KeySorting.sort(items + first, spare: spare + first, count: end &- first)
                    counts[column] = KeySorting.keyCount(items + first, count: end &- first)
                }
            }
        }
    }

    /// Gives equal thresholds of a column one place. The items stand in the order of their columns
    /// and then of their thresholds.
    private mutating func place(
        _ items: UnsafePointer<Item>, _ columnStarts: [Int], _ shares: [Range<Int>]
    ) {
        let (starts, count) = (starts, columnStarts[columnStarts.count - 1])
        let valueCount = starts[starts.count - 1]
        var (values, order): ([Float], [Int32]) = ([], [])
        places = [Int32](unsafeUninitializedCapacity: count) { places, placeCount in
            values = [Float](unsafeUninitializedCapacity: valueCount) { values, filledCount in
                order = [Int32](unsafeUninitializedCapacity: count) { order, orderCount in
                    nonisolated(unsafe) let (items, values) = (items, values)
                    nonisolated(unsafe) let (places, order) = (places, order)
                    HelperPool.shared.forEach(shares.count, threads: HelperPool.loadThreadCount) {
                        share, _ in
                        for column in shares[share] {
                            // No key: those of thresholds have 32 bits.
                            var last = Item.max
                            var place = starts[column] &- 1
                            for item in columnStarts[column]..<columnStarts[column + 1] {
                                let key = items[item] >> 32
                                let number = UInt32(truncatingIfNeeded: items[item])
                                place &+= key == last ? 0 : 1
                                last = key
                                values[place] = FloatSorting.value(
                                    of: UInt32(truncatingIfNeeded: key))
                                places[Int(number)] = Int32(truncatingIfNeeded: place)
                                order[item] = Int32(bitPattern: number)
                            }
                        }
                    }
                    orderCount = count
                }
                filledCount = valueCount
            }
            placeCount = count
        }
        (self.values, self.order) = (values, order)
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
