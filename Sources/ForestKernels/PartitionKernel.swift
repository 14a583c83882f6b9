/// Moves the rows of a node to its two children.
package enum PartitionKernel {
    /// Writes rows that go left from `low` upward and the others from `high` downward; returns how
    /// many go left.
    ///
    /// `column` has the split feature's bin of every row of the data set, `goesLeft` 1 or 0 for
    /// each of the 256 bins. From `low` to `high` there is room for `count` entries at least, and
    /// what lies between the two sides may be overwritten.
    @inline(never)
    package static func divide(
        _ entries: UnsafePointer<UInt64>, count: Int, column: UnsafePointer<UInt8>,
        goesLeft: UnsafePointer<UInt8>, low: UnsafeMutablePointer<UInt64>,
        high: UnsafeMutablePointer<UInt64>
    ) -> Int {
        var (leftCount, rightCount) = (0, 0)
        for index in 0..<count {
            // Both are written and one counter moves: no branch to mispredict.
            let entry = entries[index]
            let left = Int(goesLeft[Int(column[Int(truncatingIfNeeded: entry >> 32)])])
            low[leftCount] = entry
            high[rightCount] = entry
            leftCount &+= left
            rightCount &-= 1 &- left
        }
        return leftCount
    }

    /// Notes for each of these rows which leaf it is in.
    @inline(never)
    package static func mark(
        _ entries: UnsafePointer<UInt64>, count: Int, leaf: UInt16,
        in leafOfRow: UnsafeMutablePointer<UInt16>
    ) {
        for index in 0..<count {
            leafOfRow[Int(truncatingIfNeeded: entries[index] >> 32)] = leaf
        }
    }

    /// Sums the rows' gradients and hessians per leaf: Σ g at `sums[2 * leaf]`, Σ h after it. A
    /// null pointer for hessians that all count 1.
    @inline(never)
    package static func sumLeaves(
        _ leafOfRow: UnsafePointer<UInt16>, count: Int, gradients: UnsafePointer<Int32>,
        hessians: UnsafePointer<Int32>?, to sums: UnsafeMutablePointer<Int64>
    ) {
        if let hessians {
            for row in 0..<count {
                let sum = sums + 2 &* Int(leafOfRow[row])
                sum[0] &+= Int64(gradients[row])
                sum[1] &+= Int64(hessians[row])
            }
        } else {
            for row in 0..<count {
                let sum = sums + 2 &* Int(leafOfRow[row])
                sum[0] &+= Int64(gradients[row])
                sum[1] &+= 1
            }
        }
    }

    /// Adds each row's leaf value to its score.
    @inline(never)
    package static func addLeaves(
        _ leafOfRow: UnsafePointer<UInt16>, count: Int, values: UnsafePointer<Double>,
        to scores: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<count { scores[row] += values[Int(leafOfRow[row])] }
    }

    /// Puts the bins of 8 columns side by side: byte j of `words[row * stride]` is that of column
    /// j.
    @inline(never)
    package static func interleave(
        _ columns: UnsafePointer<UnsafePointer<UInt8>>, count: Int,
        to words: UnsafeMutablePointer<UInt64>, stride: Int
    ) {
        let (a, b, c, d) = (columns[0], columns[1], columns[2], columns[3])
        let (e, f, g, h) = (columns[4], columns[5], columns[6], columns[7])
        for row in 0..<count {
            let low =
                UInt64(a[row]) | UInt64(b[row]) << 8 | UInt64(c[row]) << 16
                | UInt64(d[row]) << 24
            let high =
                UInt64(e[row]) | UInt64(f[row]) << 8 | UInt64(g[row]) << 16
                | UInt64(h[row]) << 24
            (words + row &* stride).initialize(to: (low | high << 32).littleEndian)
        }
    }
}
