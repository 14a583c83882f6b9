extension TreeGrower {
    /// A leaf that could be split, with the split that it would get.
    struct Candidate {
        let node: PendingNode
        let split: Split
        let decrease: Double
    }

    /// Splits the leaf that gains most, then the next, until there are enough leaves (Friedman,
    /// Hastie and Tibshirani, "Additive logistic regression", Annals of Statistics 28, 2000,
    /// section 8). Of equal gains the older leaf goes first.
    func growBestFirst(
        from root: PendingNode, leafCountMax: Int, in growing: inout GrowingTree
    ) {
        var candidates: [Candidate] = []
        take(root, to: &candidates, in: &growing)
        var leafCount = 1
        while leafCount < leafCountMax, let next = Self.popBest(&candidates) {
            open(next.node)
            let (left, right) = divide(next.node, by: next.split, in: &growing)
            leafCount += 1
            take(left, to: &candidates, in: &growing)
            take(right, to: &candidates, in: &growing)
        }
        candidates.sort { $0.node.index < $1.node.index }
        for candidate in candidates {
            open(candidate.node)
            growing.makeLeaf(candidate.node.index, kernel)
        }
    }

    /// Makes the node a leaf, or a candidate if it can be split.
    private func take(
        _ node: PendingNode, to candidates: inout [Candidate], in growing: inout GrowingTree
    ) {
        open(node)
        guard let split = bestSplit(of: node) else { return growing.makeLeaf(node.index, kernel) }
        candidates.append(Candidate(node: node, split: split, decrease: decrease(by: split)))
        Self.siftUp(&candidates)
    }

    /// Whether `first` is split before `second`: a total order, for no two have the same number.
    private static func isBefore(_ first: Candidate, _ second: Candidate) -> Bool {
        first.decrease != second.decrease
            ? first.decrease > second.decrease : first.node.index < second.node.index
    }

    /// Moves the last element of a heap up to its place.
    private static func siftUp(_ heap: inout [Candidate]) {
        var place = heap.count - 1
        while place > 0, isBefore(heap[place], heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes the first element of a heap out of it.
    private static func popBest(_ heap: inout [Candidate]) -> Candidate? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let best = heap.removeLast()
        var place = 0
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
            guard isBefore(heap[child], heap[place]) else { break }
            heap.swapAt(place, child)
            place = child
        }
        return best
    }
}
