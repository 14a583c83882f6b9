internal import CLanes

/// Scores 64 rows at once through trees of at most 128 leaves, without a jump.
///
/// A row's value of an input is a code of one byte: how many of the input's cuts lie below it. From
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

    /// A number's place in the order of all float32 numbers; that of −0 is 0's.
    @inline(__always)
    package static func key(_ value: Float) -> Int32 {
        let bits = Int32(bitPattern: (value + 0).bitPattern)
        return bits ^ ((bits >> 31) & Int32.max)
    }

    /// The codes of `count` values of one input: how many of its cuts lie below each.
    ///
    /// `cuts` has the keys of 2 × `steps` − 1 numbers, ascending, infinity after the input's own;
    /// `steps` is a power of two up to 128, or 0 for an input without cuts. No value is NaN.
    @inline(never)
    package static func code(
        _ values: UnsafePointer<Float>, stride: Int, count: Int, cuts: UnsafePointer<Int32>,
        steps: Int, to codes: UnsafeMutablePointer<UInt8>
    ) {
        var row = 0
        while row &+ 4 <= count {
            // Four searches side by side: each waits for its own loads only.
            let start = values + row &* stride
            let (a, b) = (Int(key(start[0])), Int(key(start[stride])))
            let (c, d) = (Int(key(start[2 &* stride])), Int(key(start[3 &* stride])))
            var (codeA, codeB, codeC, codeD) = (0, 0, 0, 0)
            var step = steps
            while step > 0 {
                codeA &+= isBelow(cuts[codeA &+ step &- 1], a) & step
                codeB &+= isBelow(cuts[codeB &+ step &- 1], b) & step
                codeC &+= isBelow(cuts[codeC &+ step &- 1], c) & step
                codeD &+= isBelow(cuts[codeD &+ step &- 1], d) & step
                step >>= 1
            }
            codes[row] = UInt8(truncatingIfNeeded: codeA)
            codes[row &+ 1] = UInt8(truncatingIfNeeded: codeB)
            codes[row &+ 2] = UInt8(truncatingIfNeeded: codeC)
            codes[row &+ 3] = UInt8(truncatingIfNeeded: codeD)
            row &+= 4
        }
        while row < count {
            codes[row] = code(values[row &* stride], cuts: cuts, steps: steps)
            row &+= 1
        }
    }

    /// All bits if a cut lies below a value, else none. The sign of a difference, because a
    /// comparison would become a jump that is mispredicted every other time.
    @inline(__always)
    private static func isBelow(_ cut: Int32, _ value: Int) -> Int {
        (Int(cut) &- value) >> 63
    }

    /// The codes of one row's values: of each input, `searches` has where its cuts start and
    /// `steps`.
    @inline(never)
    package static func codeRow(
        _ values: UnsafePointer<Float>, count: Int, cuts: UnsafePointer<Int32>,
        searches: UnsafePointer<Int>, to codes: UnsafeMutablePointer<UInt8>
    ) {
        for input in 0..<count {
            codes[input] = code(
                values[input], cuts: cuts + searches[2 &* input],
                steps: searches[2 &* input &+ 1])
        }
    }

    @inline(__always)
    private static func code(
        _ value: Float, cuts: UnsafePointer<Int32>, steps: Int
    ) -> UInt8 {
        let value = Int(key(value))
        var code = 0
        var step = steps
        while step > 0 {
            code &+= isBelow(cuts[code &+ step &- 1], value) & step
            step >>= 1
        }
        return UInt8(truncatingIfNeeded: code)
    }
}
