// Trains a random forest on made-up data and registers it: the job of the README.
import Foundation
import Manta

struct Options: JobOptions {
    @Option(help: "Trees of the forest, at least 10.") var width = 50
    @Option(help: "Levels below each tree's root, at least 2.") var height = 25
    @Option(help: "More steps: more features per node, more rows.") var steps = 100

    var treeCount: Int { max(10, width) }
    var maxDepth: Int { max(2, height) }
    var maxFeatures: Double { min(1.0, 0.3 + Double(steps) / 500) }
    var sampleCount: Int { min(5000, 500 + 10 * steps) }

    func validate() throws {
        guard (1...100_000).contains(width), (1...10_000).contains(height),
            (1...100_000).contains(steps)
        else {
            throw ValidationError(
                "--width is 1 to 100000, --height 1 to 10000, --steps 1 to 100000.")
        }
    }

    /// The loss of a made-up optimisation, one value per step.
    func loss(atStep step: Int) -> Double {
        1 / (0.1 + Double(width) * Double(step) / 100) + 0.1 * Double(height)
    }
}

try await runJob(Options.self) { options, cluster in
    // A quarter more rows than are trained on: they are held out.
    let rowCount = options.sampleCount + options.sampleCount / 4
    let data = try makeClassification(
        samples: rowCount, features: 20, informative: 10, redundant: 10, classes: 2, seed: 42)
    let train = data.subset(rows: Array(0..<options.sampleCount))
    let holdout = data.subset(rows: Array(options.sampleCount..<rowCount))
    let learner = try RandomForestClassifier(
        trees: options.treeCount, maxDepth: options.maxDepth,
        maxFeatures: .share(options.maxFeatures), seed: 42)

    let now = Date.now.ISO8601Format()
    try await MLflow.run(experiment: "simple_model_training", name: now) { run in
        try await run.log(parameters: [
            "width": options.width, "height": options.height, "steps": options.steps,
            "n_estimators": options.treeCount, "max_depth": options.maxDepth,
            "max_features": options.maxFeatures, "n_samples": options.sampleCount,
            "model_type": "RandomForestClassifier",
        ])
        try await run.log(dataset: train, name: "make_classification", context: "training")
        print("Training \(learner)")
        let model = try await cluster.fit(learner, to: train)

        let accuracy = try model.evaluate(on: train)["accuracy"] ?? 0
        let holdoutAccuracy = try model.evaluate(on: holdout)["accuracy"] ?? 0
        try await run.log(metrics: ["accuracy": accuracy, "holdout_accuracy": holdoutAccuracy])
        for step in 0..<options.steps {
            try await run.log(metric: "final_loss", options.loss(atStep: step), step: step)
        }

        let version = try await run.register(model, as: "RandomForestClassifierModel")
        let result = Result(
            accuracy: accuracy, modelSource: version.source, runID: run.id ?? "none")
        try await cluster.setResult(result)
        print("Training completed: \(result)")
    }
}

/// What `job result` shows.
struct Result: Encodable, CustomStringConvertible {
    var accuracy: Double
    var modelSource: String
    var runID: String

    enum CodingKeys: String, CodingKey {
        case accuracy
        case modelSource = "model_source"
        case runID = "run_id"
    }

    var description: String {
        #"{"accuracy": \#(accuracy), "model_source": "\#(modelSource)", "run_id": "\#(runID)"}"#
    }
}
