/// Sums one tree's Shapley values for a few rows, at eight points of a quadrature side by side.
///
/// Of a path's features j let o be 1 where the row follows the path and 0 where not, and z the
/// share of the training weight that follows it. What feature i adds at the path's leaf of value v
/// is v (o_i − z_i) ∫ Π_{j ≠ i} (t o_j + (1 − t) z_j) dt over 0...1, because
/// ∫ t^s (1 − t)^(m−1−s) dt is the Shapley weight s! (m−1−s)! / m! of s features out of m (Owen,
/// "Multilinear extensions of games", Management Science 18, 1972). The integrand is a polynomial,
/// so that few points suffice, and each edge of the tree is passed once on the way down, which
/// multiplies factors, and once on the way up, which adds leaves, as in Yu et al., "Linear
/// TreeShap", NeurIPS 2022. No factor is negative and nothing is divided by what could be 0.
///
/// A walk visits the nodes depth first: step n enters node n, step −1 − n leaves the inner node n
/// after both subtrees. What belongs to the edge into a node stands in the node's slot: two slots
/// per level, one for each side; slot 0 is the root's.
package enum ShapKernel {
    /// A node, in 56 bytes. This and the other records are tuples, because a struct would bring
    /// functions for its copying that all builds of this room share under one name.
    ///
    /// - `kind`: `leaf`, `number` or `category`.
    /// - `childSlot`: the left child's; the right child's is the next.
    /// - `earlierSlot`: of the nearest edge above that tests the same feature; −1 for none.
    /// - `start`, `end`: the words of a set of categories; a leaf's first value counted from the
    ///   tree's first.
    /// - `share`: of the training weight, what passes all tests of `feature` above the node.
    /// - `leftRatio`, `rightRatio`: the shares of the node's own weight that go left and right.
    package typealias Node = (
        kind: Int32, slot: Int32, childSlot: Int32, earlierSlot: Int32, feature: Int32,
        threshold: Float, start: Int32, end: Int32,
        share: Double, leftRatio: Double, rightRatio: Double
    )

    package static func node(kind: Int32, slot: Int32) -> Node {
        (
            kind: kind, slot: slot, childSlot: 0, earlierSlot: -1, feature: 0, threshold: 0,
            start: 0, end: 0, share: 1, leftRatio: 1, rightRatio: 1
        )
    }

    package static var leaf: Int32 { 0 }
    /// An inner node that compares, missing values going right.
    package static var number: Int32 { 2 }
    /// An inner node that asks for a category, missing and unknown ones going right.
    package static var category: Int32 { 4 }
    /// Added where they go left.
    package static var missingGoesLeft: Int32 { 1 }

    /// Rows that are summed together.
    package static var rowCountMax: Int { 8 }

    /// Eight points of a quadrature over 0...1; `rests` are 1 − places.
    package typealias Points = (
        places: SIMD8<Double>, rests: SIMD8<Double>, weights: SIMD8<Double>
    )

    /// What a walk works on.
    ///
    /// - `outputCount`: outputs of a leaf that are summed together.
    /// - `follows`: per slot and row, 1 if the row passes all tests of the edge's feature so far.
    /// - `sides`: per slot and row, of left children: 0 if only the left edge is followed, 1 if
    ///   only the right one, 2 if neither.
    /// - `products`: per slot and row, the product of the path's factors.
    /// - `leafSums`: per slot, output and row, the sum of the leaves below, times their products.
    /// - `factors`: six vectors for the three sides.
    /// - `sums`: per output, feature and row what is asked for, to be summed over the eight lanes.
    package typealias Room = (
        rows: UnsafePointer<Float>, rowCount: Int, featureCount: Int,
        words: UnsafePointer<UInt32>, leafValues: UnsafePointer<Float>, outputCount: Int,
        follows: UnsafeMutablePointer<UInt8>, sides: UnsafeMutablePointer<UInt8>,
        products: UnsafeMutablePointer<SIMD8<Double>>,
        leafSums: UnsafeMutablePointer<SIMD8<Double>>,
        factors: UnsafeMutablePointer<SIMD8<Double>>, sums: UnsafeMutablePointer<SIMD8<Double>>
    )

    /// A room in `flags` and `vectors`, as many as `flagCount` and `vectorCount` say.
    package static func room(
        rows: UnsafePointer<Float>, rowCount: Int, featureCount: Int,
        words: UnsafePointer<UInt32>, leafValues: UnsafePointer<Float>, outputCount: Int,
        flags: UnsafeMutablePointer<UInt8>, vectors: UnsafeMutablePointer<SIMD8<Double>>,
        slotCount: Int, sums: UnsafeMutablePointer<SIMD8<Double>>
    ) -> Room {
        let slots = slotCount &* rowCountMax
        return (
            rows: rows, rowCount: rowCount, featureCount: featureCount, words: words,
            leafValues: leafValues, outputCount: outputCount, follows: flags,
            sides: flags + slots, products: vectors + 6, leafSums: vectors + 6 + slots,
            factors: vectors, sums: sums
        )
    }

    /// How many flags and vectors a room of so many slots and outputs takes.
    package static func flagCount(slots: Int) -> Int { 2 &* slots &* rowCountMax }
    package static func vectorCount(slots: Int, outputs: Int) -> Int {
        6 &+ slots &* (1 &+ outputs) &* rowCountMax
    }

    /// Goes through the steps of a tree.
    @inline(never)
    package static func walk(
        _ steps: UnsafePointer<Int32>, count: Int, _ nodes: UnsafePointer<Node>,
        points: UnsafePointer<Points>, _ room: Room
    ) {
        let points = points.pointee
        for row in 0..<room.rowCount {
            room.follows[row] = 1
            room.products[row] = SIMD8(repeating: 1)
        }
        for index in 0..<count {
            let step = Int(steps[index])
            if step < 0 {
                close(nodes + (-1 &- step), points, room)
            } else if nodes[step].kind == leaf {
                addLeaf(nodes + step, room)
            } else {
                open(nodes + step, points, room)
            }
        }
    }

    @inline(__always)
    private static func addLeaf(_ node: UnsafePointer<Node>, _ room: Room) {
        let slot = Int(node.pointee.slot)
        let products = room.products + slot &* rowCountMax
        let values = room.leafValues + Int(node.pointee.start)
        for output in 0..<room.outputCount {
            let value = Double(values[output])
            let sums = room.leafSums + (slot &* room.outputCount &+ output) &* rowCountMax
            for row in 0..<room.rowCount { sums[row] = products[row] * value }
        }
    }

    @inline(__always)
    private static func goesLeft(
        _ value: Float, _ node: UnsafePointer<Node>, _ words: UnsafePointer<UInt32>
    ) -> Bool {
        let missing = node.pointee.kind & missingGoesLeft != 0
        if node.pointee.kind < category {
            return value <= node.pointee.threshold || (value != value && missing)
        }
        let (start, end) = (Int(node.pointee.start), Int(node.pointee.end))
        // NaN fails both comparisons; what passes fits an Int.
        guard value >= 0, value < Float((end &- start) &* 32) else { return missing }
        let code = Int(value)
        return words[start &+ code >> 5] >> UInt32(truncatingIfNeeded: code & 31) & 1 == 1
    }

    /// Decides where the rows go and multiplies the factors of both edges.
    @inline(__always)
    private static func open(_ node: UnsafePointer<Node>, _ points: Points, _ room: Room) {
        fillFactors(node, points, room.factors)
        let child = Int(node.pointee.childSlot) &* rowCountMax
        // The root's slot, which stands for no edge, is always followed.
        let earlier = max(0, Int(node.pointee.earlierSlot)) &* rowCountMax
        let own = room.products + Int(node.pointee.slot) &* rowCountMax
        let column = room.rows + Int(node.pointee.feature)
        for row in 0..<room.rowCount {
            let value = column[row &* room.featureCount]
            let left: UInt8 = goesLeft(value, node, room.words) ? 1 : 0
            let isFollowed = room.follows[earlier &+ row]
            room.follows[child &+ row] = isFollowed & left
            room.follows[child &+ rowCountMax &+ row] = isFollowed & (1 &- left)
            let side = isFollowed == 0 ? 2 : 1 &- left
            room.sides[child &+ row] = side
            let factors = room.factors + 2 &* Int(side)
            let product = own[row]
            room.products[child &+ row] = product * factors[0]
            room.products[child &+ rowCountMax &+ row] = product * factors[1]
        }
    }

    /// By what the edges change the path's product: the factor of the node's feature at the edge
    /// over that of the same feature before.
    @inline(__always)
    private static func fillFactors(
        _ node: UnsafePointer<Node>, _ points: Points,
        _ factors: UnsafeMutablePointer<SIMD8<Double>>
    ) {
        let (places, rests, share) = (points.places, points.rests, node.pointee.share)
        let left = rests * (share * node.pointee.leftRatio)
        let right = rests * (share * node.pointee.rightRatio)
        if node.pointee.earlierSlot < 0 {
            factors[0] = places + left
            factors[1] = right
            factors[2] = left
            factors[3] = places + right
            return
        }
        let before = places + rests * share
        factors[0] = (places + left) / before
        factors[1] = right / before
        factors[2] = left / before
        factors[3] = (places + right) / before
        factors[4] = SIMD8(repeating: node.pointee.leftRatio)
        factors[5] = SIMD8(repeating: node.pointee.rightRatio)
    }

    /// Adds what the node's feature gains over both edges and hands the leaves' sums on.
    @inline(__always)
    private static func close(_ node: UnsafePointer<Node>, _ points: Points, _ room: Room) {
        fillGains(node, points, room.factors)
        let child = Int(node.pointee.childSlot)
        let sides = room.sides + child &* rowCountMax
        for output in 0..<room.outputCount {
            let left = room.leafSums + (child &* room.outputCount &+ output) &* rowCountMax
            let right = left + room.outputCount &* rowCountMax
            let slot = Int(node.pointee.slot) &* room.outputCount &+ output
            let own = room.leafSums + slot &* rowCountMax
            let place = output &* room.featureCount &+ Int(node.pointee.feature)
            let sums = room.sums + place &* room.rowCount
            for row in 0..<room.rowCount {
                let gains = room.factors + 2 &* Int(sides[row])
                let (ofLeft, ofRight) = (left[row], right[row])
                sums[row] += ofLeft * gains[0] + ofRight * gains[1]
                own[row] = ofLeft + ofRight
            }
        }
    }

    /// Per side the quotients (o − z) / (t o + (1 − t) z) of both edges less that of the same
    /// feature before, times the points' weights; nothing where the path was left before.
    @inline(__always)
    private static func fillGains(
        _ node: UnsafePointer<Node>, _ points: Points, _ gains: UnsafeMutablePointer<SIMD8<Double>>
    ) {
        let (places, rests, weights) = (points.places, points.rests, points.weights)
        let share = node.pointee.share
        var before = SIMD8<Double>.zero
        if node.pointee.earlierSlot >= 0 { before = (1 - share) / (places + rests * share) }
        let (left, right) = (share * node.pointee.leftRatio, share * node.pointee.rightRatio)
        let missed = (SIMD8(repeating: -1) / rests - before) * weights
        gains[0] = ((1 - left) / (places + rests * left) - before) * weights
        gains[1] = missed
        gains[2] = missed
        gains[3] = ((1 - right) / (places + rests * right) - before) * weights
        gains[4] = .zero
        gains[5] = .zero
    }
}
