/// The different thresholds of every column of an ensemble in ascending order, and the place of each
/// node's threshold among them: sorted once, by radix, for all groups of a `BlockLayout`.
struct Cuts {
    /// The places of column c's cuts: `starts[c] ..< starts[c + 1]`.
    private(set) var starts: [Int]
    /// The thresholds, column after column.
    private(set) var values: [Float] = []
    /// Per node of all trees the place of its threshold in `values`; 0 at leaves.
    private(set) var places: [Int32]

    init(_ trees: ColumnsView, _ tests: ScoringInputs.Tests, _ inputs: ScoringInputs) {
        let columnOf = inputs.columnOf
        starts = Array(repeating: 0, count: inputs.columns.count + 1)
        places = Array(repeating: 0, count: trees.feature.count)
        var items: [UInt64] = []
        items.reserveCapacity(trees.feature.count / 2)
        for node in 0..<trees.feature.count where tests.inputs[node] >= 0 {
            let key = FloatSorting.key(of: tests.threshold(of: node, trees) + 0)
            items.append(UInt64(key) << 32 | UInt64(node))
        }
        for shift in [UInt64(32), 43, 54] {
            items = Self.sorted(items, bucketCount: 2_048) { Int($0 >> shift & 2_047) }
        }
        items = Self.sorted(items, bucketCount: inputs.columns.count) {
            columnOf[Int(tests.inputs[Int($0 & 0xFFFF_FFFF)])]
        }
        place(items, trees, tests, columnOf)
    }

    /// A stable pass of a radix sort.
    private static func sorted(
        _ items: [UInt64], bucketCount: Int, bucket: (UInt64) -> Int
    ) -> [UInt64] {
        var ends = [Int](repeating: 0, count: bucketCount + 1)
        for item in items { ends[bucket(item) + 1] += 1 }
        for index in 0..<bucketCount { ends[index + 1] += ends[index] }
        return [UInt64](unsafeUninitializedCapacity: items.count) { sorted, count in
            for item in items {
                let bucket = bucket(item)
                sorted[ends[bucket]] = item
                ends[bucket] += 1
            }
            count = items.count
        }
    }

    /// Gives equal thresholds of a column one place.
    private mutating func place(
        _ items: [UInt64], _ trees: ColumnsView, _ tests: ScoringInputs.Tests, _ columnOf: [Int]
    ) {
        var last: (column: Int, bits: UInt64) = (-1, 0)
        for item in items {
            let node = Int(item & 0xFFFF_FFFF)
            let column = columnOf[Int(tests.inputs[node])]
            if column != last.column || item >> 32 != last.bits {
                for skipped in last.column + 1..<column + 1 { starts[skipped] = values.count }
                values.append(tests.threshold(of: node, trees))
                last = (column, item >> 32)
            }
            places[node] = Int32(values.count - 1)
        }
        for column in last.column + 1..<starts.count { starts[column] = values.count }
    }
}
