import ArgumentParser
import DecisionForests
import Foundation
import ModelFormats

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what is in a model directory.",
        discussion: """
            manta inspect iris-model
            manta inspect iris-model --tree 0
            """)

    @Argument(help: "The model directory.")
    var model: String

    @Option(help: "List the shapes of the first N trees.")
    var trees: Int?

    @Option(help: "Print this tree, counted from 0, as text.")
    var tree: Int?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if let trees, trees < 0 { throw ValidationError("--trees must not be negative.") }
        if trees != nil && tree != nil {
            throw ValidationError("--trees and --tree exclude each other.")
        }
    }

    func run() throws {
        let loaded = try readModel(model)
        if let tree { return try show(tree: tree, of: loaded.model) }
        var summary = ModelSummary(
            loaded, recipe: try TrainingRecipe.read(in: model), sizeInBytes: try size())
        if let trees {
            summary.firstTrees = loaded.model.ensemble.trees.prefix(trees).map(TreeStatistics.init)
        }
        json ? try writeJSON(summary) : writeOut(summary.text)
    }

    private func show(tree index: Int, of model: TrainedModel) throws {
        guard model.ensemble.trees.indices.contains(index) else {
            throw CommandFailure(
                "there is no tree \(index); the model has \(model.ensemble.trees.count), "
                    + "counted from 0.", code: ExitStatus.notFound)
        }
        let text = TreeText(model: model, tree: model.ensemble.trees[index]).render()
        if json {
            return try writeJSON(["tree": "\(index)", "text": text])
        }
        writeOut(text)
    }

    private func size() throws -> Int {
        let path = model + "/" + ModelDirectory.modelPath
        return try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
}

extension TrainingRecipe {
    /// The recipe kept in a model directory; nil if it was made by something else.
    static func read(in directory: String) throws -> TrainingRecipe? {
        do {
            let bytes = try BoundedFile.read(directory + "/" + path, sizeMax: sizeMax)
            return try TrainingRecipe(json: bytes, from: directory + "/" + path)
        } catch ModelDirectoryError.missingFile {
            return nil
        }
    }
}

extension ModelSummary {
    /// Features that are listed for people.
    static let featuresMax = 40

    /// The same for people.
    var text: String {
        var text = """
            \(learner), \(task) of '\(target)', learned from \(trainingRows) rows

            """
        if !classes.isEmpty {
            let shown = classes.prefix(20).joined(separator: ", ")
            text += "Classes: \(shown)\(classes.count > 20 ? ", … (\(classes.count))" : "")\n"
        }
        text += "Trees: \(trees.count), nodes: \(trees.nodes), leaves: \(trees.leaves) "
        text += "(\(Figures.short(trees.leavesMean)) a tree), depth: "
        text += "\(Figures.short(trees.depthMean)) on average, \(trees.depthMax) at most\n"
        if isLinear { text += "With a linear part.\n" }
        text += "model.manta: \(Figures.size(sizeBytes)), SHA-256 \(digest)\n"
        text += "Made: \(created)\(runID.map { ", run \($0)" } ?? "")\n\n"
        text += TextTable.render(["PARAMETER", "VALUE"], parameters.map { [$0.name, $0.value] })
        text += "\n" + featureTable
        if let firstTrees {
            let rows = firstTrees.enumerated().map { index, tree in
                ["\(index)", "\(tree.nodes)", "\(tree.leaves)", "\(tree.depth)"]
            }
            text += "\n" + TextTable.render(["TREE", "NODES", "LEAVES", "DEPTH"], rows)
        }
        return text
    }

    /// The most important ones first.
    private var featureTable: String {
        let ranked = features.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            if (a.gain ?? 0) != (b.gain ?? 0) { return (a.gain ?? 0) > (b.gain ?? 0) }
            return (b.splits, left.offset) < (a.splits, right.offset)
        }
        let rows = ranked.prefix(Self.featuresMax).map { _, feature in
            [
                feature.name, feature.kind + (feature.optional ? ", optional" : ""),
                feature.gain.map(Figures.short) ?? "-", "\(feature.splits)",
            ] + columns(feature.profile)
        }
        let rest = features.count - rows.count
        return TextTable.render(
            ["FEATURE", "KIND", "GAIN", "SPLITS", "MISSING", "MIN", "MEAN", "MAX"], rows)
            + (rest > 0 ? "… and \(rest) more features; --json lists all\n" : "")
    }

    private func columns(_ profile: Profile?) -> [String] {
        guard let profile else { return ["-", "-", "-", "-"] }
        return [profile.missingShare, profile.minimum, profile.mean, profile.maximum].map {
            $0.map(Figures.short) ?? "-"
        }
    }
}
