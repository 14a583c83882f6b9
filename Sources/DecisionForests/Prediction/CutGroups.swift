/// An ensemble's trees in groups in which no column has more than 254 different thresholds, and
/// each threshold's place among those of its group: what a `BlockLayout` compares instead of
/// numbers.
struct CutGroups {
    /// The trees of each group.
    private(set) var ranges: [Range<Int>] = []
    /// Per group and column where its table starts and its blocks, as `BlockKernel.code` reads
    /// them.
    private(set) var searches: [Int32] = []
    /// The tables of all groups, padded to whole blocks.
    private(set) var tables: [Float] = []
    /// Per inner node the place of its threshold in its group's table.
    private(set) var cuts: [UInt8]

    private let inner: InnerNodes
    private let all: Cuts
    private var columnCount: Int { all.starts.count - 1 }

    /// Different thresholds of a column in a group.
    private static let cutCountMax = 254
    /// Numbers that the kernel compares at once.
    private static let blockSize = 16

    init(_ inner: InnerNodes, _ all: Cuts) {
        self.inner = inner
        self.all = all
        cuts = Array(repeating: 0, count: inner.count)
        tables.reserveCapacity(all.values.count + 2 * Self.blockSize * columnCount)
        divide(0..<inner.starts.count - 1)
    }

    /// Makes a group of these trees, or of each half of them.
    private mutating func divide(_ trees: Range<Int>) {
        guard !trees.isEmpty else { return }
        let numbers = inner.starts[trees.lowerBound]..<inner.starts[trees.upperBound]
        // Which of all cuts the group has, and then their places in the group.
        var places = [UInt8](repeating: 0, count: all.values.count)
        places.withUnsafeMutableBufferPointer { places in
            for number in numbers { places[Int(all.places[number])] = 1 }
        }
        let isFine = (0..<columnCount).allSatisfy { column in
            let own = places[all.starts[column]..<all.starts[column + 1]]
            return own.reduce(0) { $0 &+ Int($1) } <= Self.cutCountMax
        }
        guard isFine else {
            let middle = trees.lowerBound + trees.count / 2
            divide(trees.lowerBound..<middle)
            divide(middle..<trees.upperBound)
            return
        }
        ranges.append(trees)
        for column in 0..<columnCount { appendTable(of: column, &places) }
        cuts.withUnsafeMutableBufferPointer { cuts in
            for number in numbers { cuts[number] = places[Int(all.places[number])] }
        }
    }

    /// Makes a table of a column's marked cuts, and marks each with its place there.
    private mutating func appendTable(of column: Int, _ places: inout [UInt8]) {
        let size = Self.blockSize
        let range = all.starts[column]..<all.starts[column + 1]
        let count = places[range].reduce(0) { $0 &+ Int($1) }
        let blockCount = (count + size - 1) / size
        searches.append(Int32(tables.count))
        searches.append(Int32(blockCount))
        // With several blocks, one of their greatest cuts stands before them.
        let index = tables.count
        let first = index + (blockCount > 1 ? size : 0)
        let end = first + blockCount * size
        tables.append(contentsOf: repeatElement(.infinity, count: end - index))
        let (values, marked) = (all.values, range)
        tables.withUnsafeMutableBufferPointer { tables in
            places.withUnsafeMutableBufferPointer { places in
                var found = 0
                for place in marked {
                    let isMarked = places[place] > 0
                    places[place] = UInt8(truncatingIfNeeded: found)
                    // What is not marked is overwritten by the next that is, or is the padding.
                    if isMarked { tables[first + found] = values[place] }
                    found &+= isMarked ? 1 : 0
                }
            }
            guard blockCount > 1 else { return }
            for block in 0..<blockCount - 1 {
                tables[index + block] = tables[first + block * size + size - 1]
            }
        }
    }
}
