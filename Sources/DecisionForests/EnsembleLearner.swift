/// Anything that learns an ensemble tree by tree, so that its trees can be grown anywhere.
///
/// `grow` is a function of the data, the learner's parameters and the trees' numbers; who calls it,
/// on which machine and with how many threads makes no difference to a single bit.
public protocol EnsembleLearner: Learner {
    /// Trees of the finished ensemble.
    var treeCount: Int { get }
    /// Decides the sample that bins are cut by.
    var binningSeed: UInt64 { get }
    /// Whether `grow` reads `data.dataset`, the values, besides its bins.
    var needsColumns: Bool { get }
    /// The trees of these numbers, in order.
    func grow(trees: Range<Int>, on data: BinnedDataset, threads: Int) throws -> [Tree]
    /// The model that all trees, in the order of their numbers, make up.
    func model(from trees: [Tree], trainedOn dataset: Dataset) throws -> TrainedModel
}

extension EnsembleLearner {
    /// False: bins are enough.
    public var needsColumns: Bool { false }

    /// The trees of these numbers, in order, on as many threads as given.
    public func grow(
        trees: Range<Int>, on dataset: Dataset, threads: Int = BinnedDataset.threadsDefault
    ) throws -> [Tree] {
        try grow(
            trees: trees, on: BinnedDataset(dataset, seed: binningSeed, threads: threads),
            threads: threads)
    }

    /// The model of all trees, grown in this process, some at a time so that `observer` hears of
    /// it. Which trees are grown together makes no difference.
    public func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, observer: FitObserver?
    ) throws -> TrainedModel {
        let data = BinnedDataset(dataset, seed: binningSeed, threads: threads)
        guard let observer else {
            let trees = try grow(trees: 0..<treeCount, on: data, threads: threads)
            return try model(from: trees, trainedOn: dataset)
        }
        var trees: [Tree] = []
        let step = max(threads, (treeCount + 99) / 100)
        while trees.count < treeCount {
            let next = trees.count..<min(treeCount, trees.count + step)
            trees += try grow(trees: next, on: data, threads: threads)
            try observer(FitProgress(done: trees.count, total: treeCount))
        }
        return try model(from: trees, trainedOn: dataset)
    }
}
