internal import CLanes

/// Scores 64 rows at once through trees of at most 128 leaves, without a jump.
///
/// A row's value of a feature is a code of one byte: how many of its cuts lie below it. From
/// the last inner node to the first, each node takes for every row its left or its right child's
/// answer; the root's answer is then the row's leaf. So each node costs three loads, a comparison
/// and a choice for 64 rows together, whatever way they go.
package enum BlockKernel {
    /// Rows of a block; one byte each fills a cache line.
    package static var rowCount: Int { 64 }
    /// Inner nodes, and leaves, that a tree may have.
    package static var leafCountMax: Int { 128 }

    /// An inner node. Children below 128 are inner nodes after it, others are leaf − 128.
    package struct Node {
        package var input: UInt16
        package var cut: UInt8
        package var left: UInt8
        package var right: UInt8

        package init(input: UInt16, cut: UInt8, left: UInt8, right: UInt8) {
            self.input = input
            self.cut = cut
            self.left = left
            self.right = right
        }
    }

    /// Finds the leaves of 64 rows: `answers[0 ..< 64]` afterwards.
    ///
    /// - Parameters:
    ///   - codes: 64 codes for each input.
    ///   - answers: 256 × 64 bytes; from 128 × 64 on each leaf's own number, 64 times, which stay.
    @inline(never)
    package static func findLeaves(
        _ nodes: UnsafePointer<Node>, count: Int, codes: UnsafePointer<UInt8>,
        answers: UnsafeMutablePointer<UInt8>
    ) {
        var index = count &- 1
        while index >= 0 {
            let node = nodes[index]
            manta_choose64(
                answers + index &* 64, codes + Int(node.input) &* 64, node.cut,
                answers + Int(node.left) &* 64, answers + Int(node.right) &* 64)
            index &-= 1
        }
    }

    /// Adds each row's leaf value to its sum; sums stand `stride` apart.
    @inline(never)
    package static func addValues(
        _ leaves: UnsafePointer<UInt8>, _ values: UnsafePointer<Float>,
        to sums: UnsafeMutablePointer<Double>, stride: Int
    ) {
        if stride == 1 {
            for row in 0..<64 { sums[row] += Double(values[Int(leaves[row])]) }
        } else {
            for row in 0..<64 { sums[row &* stride] += Double(values[Int(leaves[row])]) }
        }
    }

    /// Adds each row's `width` leaf values to its sums.
    @inline(never)
    package static func addVectors(
        _ leaves: UnsafePointer<UInt8>, _ values: UnsafePointer<Float>, width: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<64 {
            let added = values + Int(leaves[row]) &* width
            let sum = sums + row &* width
            for output in 0..<width { sum[output] += Double(added[output]) }
        }
    }

    /// The codes of `count` values of one column, for nodes that send missing values left and for
    /// those that send them right: how many of its cuts lie below each; 0 and 255 for NaN.
    ///
    /// - Parameters:
    ///   - table: of `blockCount` blocks of 16 cuts, ascending and with infinity behind the last,
    ///     the greatest ones of all blocks but the last, filled up to 16 with infinity, then the
    ///     blocks. A single block stands alone; 0 blocks are no cuts.
    @inline(never)
    package static func code(
        _ values: UnsafePointer<Float>, stride: Int, count: Int, table: UnsafePointer<Float>,
        blockCount: Int, left: UnsafeMutablePointer<UInt8>, right: UnsafeMutablePointer<UInt8>
    ) {
        for row in 0..<count {
            let value = values[row &* stride]
            let code = UInt8(truncatingIfNeeded: code(value, table, blockCount))
            left[row] = code
            right[row] = value.isNaN ? 255 : code
        }
    }

    /// The codes of one row as signed bytes, 128 less than `code` gives, and 127 for NaN; whether
    /// there is any.
    ///
    /// - Parameters:
    ///   - features: of each of `count` columns the place of its value in the row.
    ///   - searches: of each column where its table starts, and its blocks.
    @inline(never)
    package static func codeRow(
        _ row: UnsafePointer<Float>, features: UnsafePointer<Int32>, count: Int,
        tables: UnsafePointer<Float>, searches: UnsafePointer<Int32>,
        to codes: UnsafeMutablePointer<Int8>
    ) -> Bool {
        var missing: Int8 = 0
        for column in 0..<count {
            let value = row[Int(features[column])]
            let table = tables + Int(searches[2 &* column])
            let code = code(value, table, Int(searches[2 &* column &+ 1])) &- 128
            let isMissing: Int8 = value.isNaN ? 1 : 0
            missing |= isMissing
            codes[column] = isMissing == 1 ? 127 : Int8(truncatingIfNeeded: code)
        }
        return missing != 0
    }

    /// How many cuts lie below a value: first among the blocks' greatest, then in one block.
    @inline(__always)
    private static func code(
        _ value: Float, _ table: UnsafePointer<Float>, _ blockCount: Int
    ) -> Int {
        if blockCount == 0 { return 0 }
        let first = manta_below16(table, value)
        if blockCount == 1 { return first }
        return first &* 16 &+ manta_below16(table + (16 &+ first &* 16), value)
    }
}
