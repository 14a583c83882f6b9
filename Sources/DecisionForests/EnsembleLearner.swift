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
    /// The same from the values, binned if need be.
    func grow(trees: Range<Int>, on dataset: Dataset, threads: Int) throws -> [Tree]
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
        try fit(
            dataset, validation: validation, threads: threads,
            course: FitCourse(observer: observer))
    }

    /// The same, from where an interrupted fit was. Trees are kept as they are finished, at least
    /// one for each thread at a time.
    package func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, course: FitCourse
    ) throws -> TrainedModel {
        let bins =
            needsColumns
            ? nil : course.bins ?? BinnedDataset(dataset, seed: binningSeed, threads: threads)
        if bins != nil { course.onBinned?() }
        if let earlier = course.earlier { try check(earlier, on: dataset) }
        var trees = course.earlier?.trees ?? []
        let resumed = trees.count
        let isWatched = course.observer != nil || course.keep != nil
        let step = max(threads, course.interval ?? (treeCount + 99) / 100)
        while trees.count < treeCount {
            let next = trees.count..<(isWatched ? min(treeCount, trees.count + step) : treeCount)
            let grown =
                if let bins {
                    try grow(trees: next, on: bins, threads: threads)
                } else { try grow(trees: next, on: dataset, threads: threads) }
            try course.keep?(FitCheckpoint(first: next.lowerBound, trees: grown))
            trees += grown
            try course.observer?(
                FitProgress(done: trees.count, total: treeCount, resumed: resumed))
        }
        return try model(from: trees, trainedOn: dataset)
    }

    private func check(_ earlier: FitCheckpoint, on dataset: Dataset) throws {
        let outputCount =
            switch dataset.target {
            case .classes(let labels, _): labels.count
            case .values: 1
            }
        try earlier.check(
            featureCount: dataset.featureCount, outputCount: outputCount, leafWidth: outputCount,
            treeCountMax: treeCount)
    }
}

extension RandomForestClassifier: ResumableLearner {}
extension RandomForestRegressor: ResumableLearner {}
extension ExtraTreesClassifier: ResumableLearner {}
extension ExtraTreesRegressor: ResumableLearner {}
extension ObliqueForestClassifier: ResumableLearner {}
extension ObliqueForestRegressor: ResumableLearner {}
