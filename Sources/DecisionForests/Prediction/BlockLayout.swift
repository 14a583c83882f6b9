internal import ForestKernels

/// Trees of at most 128 leaves, arranged for `BlockKernel`, and those of at most 32 also for
/// `LeafBitsKernel`.
///
/// Trees are taken in groups in which no input has more than 255 different thresholds, so that a
/// value's place among them fits a byte.
struct BlockLayout: Sendable {
    private typealias Node = BlockKernel.Node

    /// Trees that share the cuts of their inputs.
    private struct Group {
        var trees: Range<Int>
        /// Per input, where its cuts start in `cuts`, and the first step of the search among them.
        var searches: [Int]
    }

    private let kernels: PredictionKernels
    private let inputs: ScoringInputs
    private let leafWidth: Int
    private let outputCount: Int
    private var groups: [Group] = []
    /// Keys of thresholds, as `BlockKernel.key` makes them.
    private var cuts: [Int32] = []
    private var nodes: [Node] = []
    private var nodeStarts: [Int] = []
    private var values: [Float] = []
    private var valueStarts: [Int] = []
    /// For single rows; nil where a tree has more leaves, or where there are too many inputs.
    private var bits: LeafBits?

    /// Different thresholds of an input in a group.
    private static let cutCountMax = 255

    /// Nil if a tree has too many leaves, or if there are too many inputs.
    init?(_ ensemble: TreeEnsemble, choice: KernelChoice) {
        let leafCountMax = BlockKernel.leafCountMax
        guard
            ensemble.trees.allSatisfy({ $0.leafValues.count <= leafCountMax * ensemble.leafWidth }),
            let inputs = ScoringInputs(ensemble, countMax: Int(UInt16.max))
        else { return nil }
        self.inputs = inputs
        kernels = .of(choice)
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        bits = LeafBits(for: ensemble, inputCount: inputs.count, choice: choice)
        divide(0..<ensemble.trees.count, of: ensemble)
    }

    /// Whether a row alone is scored here; otherwise only whole blocks are worth it.
    var takesSingleRows: Bool { bits != nil }

    // MARK: Building

    /// Makes a group of these trees, or of each half of them.
    private mutating func divide(_ trees: Range<Int>, of ensemble: TreeEnsemble) {
        guard !trees.isEmpty else { return }
        var thresholds = [[Float]](repeating: [], count: inputs.count)
        for number in trees {
            let tree = ensemble.trees[number]
            for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                let (input, threshold) = inputs.test(node, of: tree, number: number)
                thresholds[input].append(threshold)
            }
        }
        for input in thresholds.indices {
            thresholds[input].sort()
            thresholds[input] = Self.withoutRepeats(thresholds[input])
        }
        guard thresholds.allSatisfy({ $0.count <= Self.cutCountMax }) else {
            let middle = trees.lowerBound + trees.count / 2
            divide(trees.lowerBound..<middle, of: ensemble)
            divide(middle..<trees.upperBound, of: ensemble)
            return
        }
        appendGroup(trees, cuts: thresholds)
        for number in trees { append(ensemble.trees[number], number: number, cuts: thresholds) }
    }

    private static func withoutRepeats(_ sorted: [Float]) -> [Float] {
        var different: [Float] = []
        for value in sorted where value != different.last { different.append(value) }
        return different
    }

    private mutating func appendGroup(_ trees: Range<Int>, cuts lists: [[Float]]) {
        var group = Group(trees: trees, searches: [])
        for list in lists {
            var steps = list.isEmpty ? 0 : 1
            while 2 * steps - 1 < list.count { steps *= 2 }
            group.searches += [cuts.count, steps]
            cuts += list.map(BlockKernel.key)
            let room = max(0, 2 * steps - 1 - list.count)
            cuts += repeatElement(BlockKernel.key(.infinity), count: room)
        }
        groups.append(group)
    }

    private mutating func append(_ tree: Tree, number: Int, cuts: [[Float]]) {
        // Inner nodes keep their order: children stand after their parent.
        var innerNumber = [Int](repeating: 0, count: tree.nodeCount)
        var innerCount = 0
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            innerNumber[node] = innerCount
            innerCount += 1
        }
        func code(_ node: Int) -> UInt8 {
            tree.splitFeature[node] == Tree.leaf
                ? UInt8(BlockKernel.leafCountMax + Int(tree.leftChild[node]))
                : UInt8(innerNumber[node])
        }
        nodeStarts.append(nodes.count)
        valueStarts.append(values.count)
        values += tree.leafValues
        var tests: [LeafBits.Test] = []
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let (input, threshold) = inputs.test(node, of: tree, number: number)
            let cut = cuts[input].firstIndex(atOrAfter: threshold)
            let child = Int(tree.leftChild[node])
            nodes.append(
                Node(
                    input: UInt16(input), cut: UInt8(cut), left: code(child),
                    right: code(child + 1)))
            tests.append(LeafBits.Test(node: node, input: input, cut: cut))
        }
        bits?.append(tree, tests)
    }

    // MARK: Scoring

    /// Adds the trees' values of up to 64 rows to their sums, `outputCount` a row.
    ///
    /// `sums` has room for 64 rows.
    func add(
        rows: UnsafePointer<Float>, count: Int, featureCount: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        let blockSize = BlockKernel.rowCount
        let inputCount = max(1, inputs.count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: blockSize * inputCount) { values in
            guard let values = values.baseAddress else { return }
            for row in 0..<count {
                inputs.fill(rows + row * featureCount, into: values + row * inputCount)
            }
            let size = (2 * BlockKernel.leafCountMax + inputCount) * blockSize
            withUnsafeTemporaryAllocation(byteCount: size, alignment: blockSize) { bytes in
                let answers = bytes.bindMemory(to: UInt8.self)
                guard let answers = answers.baseAddress else { return }
                Self.prepare(answers, size: size)
                let codes = answers + 2 * BlockKernel.leafCountMax * blockSize
                for group in groups {
                    encode(values, count: count, group, into: codes)
                    add(group, codes: codes, answers: answers, to: sums)
                }
            }
        }
    }

    /// Each leaf's own number, 64 times; everything else 0.
    private static func prepare(_ answers: UnsafeMutablePointer<UInt8>, size: Int) {
        let blockSize = BlockKernel.rowCount
        answers.initialize(repeating: 0, count: size)
        for leaf in 0..<BlockKernel.leafCountMax {
            let place = answers + (BlockKernel.leafCountMax + leaf) * blockSize
            place.update(repeating: UInt8(leaf), count: blockSize)
        }
    }

    private func encode(
        _ values: UnsafePointer<Float>, count: Int, _ group: Group,
        into codes: UnsafeMutablePointer<UInt8>
    ) {
        let inputCount = inputs.count
        cuts.withUnsafeBufferPointer { cuts in
            guard let cuts = cuts.baseAddress else { return }
            for input in 0..<inputCount {
                kernels.code(
                    values + input, inputCount, count, cuts + group.searches[2 * input],
                    group.searches[2 * input + 1], codes + input * BlockKernel.rowCount)
            }
        }
    }

    private func add(
        _ group: Group, codes: UnsafePointer<UInt8>, answers: UnsafeMutablePointer<UInt8>,
        to sums: UnsafeMutablePointer<Double>
    ) {
        nodes.withUnsafeBufferPointer { nodes in
            values.withUnsafeBufferPointer { values in
                guard let values = values.baseAddress else { return }
                for tree in group.trees {
                    let end = tree + 1 < nodeStarts.count ? nodeStarts[tree + 1] : nodes.count
                    let count = end - nodeStarts[tree]
                    if count > 0, let base = nodes.baseAddress {
                        kernels.findLeaves(base + nodeStarts[tree], count, codes, answers)
                    } else {
                        answers.update(repeating: 0, count: BlockKernel.rowCount)
                    }
                    let added = values + valueStarts[tree]
                    if leafWidth == 1 {
                        kernels.addValues(answers, added, sums + tree % outputCount, outputCount)
                    } else {
                        kernels.addVectors(answers, added, leafWidth, sums)
                    }
                }
            }
        }
    }

    /// Adds the trees' values of one row to its sums; only if `takesSingleRows`.
    func add(row: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>) {
        guard let bits else { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, inputs.count)) { values in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bits.codeCount) { codes in
                guard let values = values.baseAddress, let codes = codes.baseAddress else {
                    return
                }
                inputs.fill(row, into: values)
                codes.initialize(repeating: 0, count: bits.codeCount)
                for group in groups {
                    encodeOne(values, group, into: codes)
                    bits.add(
                        group.trees, codes: codes, to: sums, outputCount: outputCount, kernels)
                }
            }
        }
    }

    private func encodeOne(
        _ values: UnsafePointer<Float>, _ group: Group, into codes: UnsafeMutablePointer<UInt8>
    ) {
        cuts.withUnsafeBufferPointer { cuts in
            group.searches.withUnsafeBufferPointer { searches in
                guard let cuts = cuts.baseAddress, let searches = searches.baseAddress else {
                    return
                }
                kernels.codeRow(values, inputs.count, cuts, searches, codes)
            }
        }
    }
}

extension [Float] {
    /// The place of a value that occurs among these ascending ones.
    fileprivate func firstIndex(atOrAfter value: Float) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
