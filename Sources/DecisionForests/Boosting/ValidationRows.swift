/// Rows that a booster is judged by while it grows: their scores, the figure after each round, and
/// whether it is time to stop.
final class ValidationRows {
    private let scorer: TreeScorer
    private let scores: HugeBuffer<Double>
    private let targets: [Float]
    private let weights: [Float]?
    private let metric: BoosterMetric
    private let objective: any Objective
    private let team: ThreadTeam

    /// The best figure so far and the number of rounds that reached it.
    private(set) var best: (value: Double, rounds: Int)?

    /// - Parameter targets: As the objective numbers them.
    init(
        _ dataset: Dataset, targets: [Float], metric: BoosterMetric, objective: any Objective,
        baseScores: [Float], team: ThreadTeam
    ) {
        self.team = team
        scorer = TreeScorer(dataset)
        self.targets = targets
        weights = dataset.weights
        self.metric = metric
        self.objective = objective
        scores = HugeBuffer(count: targets.count * objective.outputCount)
        for (output, score) in baseScores.enumerated() {
            (scores.base + output * targets.count).update(
                repeating: Double(score), count: targets.count)
        }
    }

    /// Takes in the trees of a round, one per output; returns the figure after it.
    func add(_ trees: some Sequence<Tree>, rounds: Int) throws -> Double {
        for (output, tree) in trees.enumerated() {
            try scorer.add(tree, to: scores.base + output * targets.count)
        }
        let value = metric.value(
            scores: scores.base, outputCount: objective.outputCount, targets: targets,
            weights: weights, transform: objective.transform,
            share: objective.leafQuantile ?? 0.5, team: team)
        let isBetter =
            best.map { metric.isBetterWhenGreater ? value > $0.value : value < $0.value } ?? true
        if isBetter { best = (value, rounds) }
        return value
    }

    /// Whether so many rounds have gone by without a better figure.
    func hasWaited(_ patience: Int, rounds: Int) -> Bool {
        best.map { rounds - $0.rounds >= patience } ?? false
    }
}
