/// All that stays the same while a booster grows its trees.
struct BoosterPlan: Sendable {
    let parameters: BoosterParameters
    let dataset: Dataset
    let data: BinnedDataset
    /// `data.bins`: the bin of feature f in row r at `f * rowCount + r`.
    nonisolated(unsafe) let columns: UnsafePointer<UInt8>
    let tiles: BinTiles
    let kernels: BoosterKernels
    let team: ThreadTeam
    /// Per feature, its bins for values; a feature of one bin and no missing values is never tried.
    let valueBins: [Int]
    /// Per categorical feature, the codes that occur and their bins; nil for others.
    let levels: [[(code: Int, bin: Int)]?]
    /// Features worth trying.
    let features: [Int]
    let seed: Chance

    init(
        parameters: BoosterParameters, dataset: Dataset, data: BinnedDataset,
        columns: UnsafePointer<UInt8>,
        kernels: BoosterKernels, team: ThreadTeam
    ) {
        self.parameters = parameters
        self.data = data
        self.columns = columns
        self.kernels = kernels
        self.team = team
        self.dataset = dataset
        tiles = BinTiles(
            columns: columns, rowCount: dataset.rowCount, featureCount: dataset.featureCount,
            kernels: kernels, team: team)
        let valueBins = zip(data.binner.edges, data.binner.categoryBins).map { edges, bins in
            bins.max().map { Int($0) + 1 } ?? edges.count + 1
        }
        self.valueBins = valueBins
        levels = dataset.featureKinds.indices.map { feature in
            dataset.featureKinds[feature].levels.map {
                Self.codes(
                    dataset.columns[feature], levelCount: $0.count,
                    bins: columns + feature * dataset.rowCount)
            }
        }
        features = (0..<dataset.featureCount).filter { feature in
            valueBins[feature] > 1 || data.hasMissing(feature: feature)
        }
        seed = Chance(seed: parameters.seed).child(0x626F_6F73)  // "boos"
    }

    /// Whether a feature's direction is constrained.
    var isConstrained: Bool { parameters.monotone.contains { $0 != 0 } }

    /// The level codes that occur in a column, ascending, with their bins.
    private static func codes(
        _ column: [Float], levelCount: Int, bins: UnsafePointer<UInt8>
    ) -> [(code: Int, bin: Int)] {
        var binOfCode = [Int](repeating: -1, count: levelCount)
        for (row, value) in column.enumerated() where value >= 0 && value < Float(levelCount) {
            binOfCode[Int(value)] = Int(bins[row])
        }
        return binOfCode.enumerated().filter { $0.element >= 0 }.map { ($0.offset, $0.element) }
    }

    /// The features that a tree sees, ascending.
    func features(chance: Chance) -> [Int] {
        Self.draw(features, share: parameters.featureShare, chance: chance)
    }

    /// A share of these features, at least one if there is one.
    static func draw(_ features: [Int], share: Double, chance: Chance) -> [Int] {
        guard share < 1, features.count > 1 else { return features }
        let count = max(1, Int((Double(features.count) * share).rounded()))
        return chance.permutation(features.count).prefix(count).sorted().map { features[$0] }
    }
}
