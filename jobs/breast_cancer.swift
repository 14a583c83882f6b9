// Cross-validates a random forest on the cluster, trains it on all training rows, registers it.
import Manta

struct Options: JobOptions {
    @Option(help: "The data: a path below the working directory, or an http(s) address.")
    var data = "data/breast_cancer.csv"
    @Option(help: "Trees of the forest.") var trees = 100
    @Option(help: "Levels below each tree's root.") var depth = 8
    @Option(help: "Parts of the cross-validation.") var folds = 5
}

/// One turn of the cross-validation. The data set that all folds share travels once, as a blob.
struct Turn: Codable, Sendable {
    var learner: RandomForestClassifier
    var fold: Fold
}

let score = RemoteTask("score") { (turn: Turn, context) async throws -> Double in
    let model = try turn.learner.fit(turn.fold.train, threads: context.threads)
    let accuracy = try model.evaluate(on: turn.fold.validation)["accuracy"] ?? 0
    print("fold \(turn.fold.index): accuracy \(accuracy)")
    return accuracy
}

try await runJob(Options.self) { options, cluster in
    let data = try await Dataset.load(csv: options.data, target: "target")
    let (train, holdout) = data.split(holdout: 0.2, seed: 42)
    let learner = try RandomForestClassifier(
        trees: options.trees, maxDepth: options.depth, seed: 42)

    let turns = train.folds(options.folds).map { Turn(learner: learner, fold: $0) }
    let scores = try await cluster.map(score, over: turns)
    let mean = scores.reduce(0, +) / Double(scores.count)

    try await MLflow.run(experiment: "breast_cancer") { run in
        try await run.log(learner.parameters)
        try await run.log(metric: "cv_accuracy", mean)
        try await run.log(
            dataset: train, name: "breast_cancer", source: options.data, context: "training")
        let model = try await cluster.fit(learner, to: train)
        let evaluation = try model.evaluate(on: holdout)
        try await run.log(metrics: evaluation)
        try await run.register(model, as: "BreastCancer", aliases: ["champion"])
        try await cluster.setResult(evaluation.values)
        print("Accuracy \(mean) in cross-validation, \(evaluation["accuracy"] ?? 0) held out.")
    }
}
