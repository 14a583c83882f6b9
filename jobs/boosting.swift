// Boosts trees until held-out rows no longer gain, logs every round, registers the model.
import Manta

struct Options: JobOptions {
    @Option(help: "The data: a path below the working directory, or an http(s) address.")
    var data = "data/breast_cancer.csv"
    @Option(help: "Rounds at most: a tree each.") var rounds = 300
    @Option(help: "Leaves of a tree at most.") var leaves = 15
    @Option(help: "What each tree's values are multiplied with.") var rate = 0.1
    @Option(help: "Rounds without a better figure after which the fit ends.") var patience = 20
}

try await runJob(Options.self) { options, cluster in
    let data = try await Dataset.load(csv: options.data, target: "target")
    let (train, others) = data.split(holdout: 0.4, seed: 42)
    let (validation, holdout) = others.split(holdout: 0.5, seed: 42)
    let learner = try GradientBoostingClassifier(
        BoosterParameters(
            rounds: options.rounds, learningRate: options.rate, leaves: options.leaves,
            earlyStoppingRounds: options.patience, seed: 42))

    try await MLflow.run(experiment: "boosting") { run in
        try await run.log(learner.parameters)
        try await run.log(
            dataset: train, name: "breast_cancer", source: options.data, context: "training")
        let model = try await cluster.fit(
            learner, to: train, validation: validation, recordingTo: run)
        let evaluation = try model.evaluate(on: holdout)
        try await run.log(metrics: evaluation, prefix: "holdout_")
        try await run.register(model, as: "BreastCancerBoosted", aliases: ["champion"])
        try await cluster.setResult(evaluation.values)
        print("Accuracy \(evaluation["accuracy"] ?? 0) held out.")
    }
}
