import ArgumentParser
import DecisionForests
import Foundation

/// What `manta train` is told about the data and the learner: its recipe.
struct RecipeOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: "Data files, parts of one table in the order of their rows.")
    var data: [String] = []

    @Option(help: "The column to predict.")
    var target: String?

    @Option(help: "auto, classification or regression.")
    var task = TaskOption.auto

    @Option(
        help: "The learner: \(LearnerKind.all.map(\.name).joined(separator: ", ")).")
    var learner = "forest"

    @Option(help: "NAME=VALUE, repeatable; `--param help` lists a learner's parameters.")
    var param: [String] = []

    @Option(help: "Share of the rows that judges the model; classes keep their shares.")
    var holdout: Double?

    @Option(help: "Train on the first N rows and judge by the rest.")
    var trainRows: Int?

    @Option(help: "Share of the training rows that decides when to stop early.")
    var validation: Double?

    @Option(help: "Stop after N rounds without a better figure on validation rows.")
    var earlyStopping: Int?

    @Option(help: "The column whose equal values must not be divided.")
    var group: String?

    @OptionGroup var columns: ColumnOptions

    @Option(help: "Decides every chance.")
    var seed: UInt64 = 0

    /// What early stopping looks at unless told otherwise.
    static let validationDefault = 0.1

    var asksForHelp: Bool { param.contains("help") }

    /// What can be said before the data is looked at.
    func check() throws {
        _ = try spec()
        if asksForHelp { return }
        guard !data.isEmpty else { throw ValidationError("--data names no file.") }
        guard target != nil else { throw ValidationError("--target names no column.") }
        let draft = try recipe(parts: data.map { .init(path: $0) })
        if let problem = draft.problem { throw ValidationError(problem) }
    }

    /// The recipe with the digests of its files, which takes one reading of them.
    func recipe() throws -> TrainingRecipe {
        try recipe(parts: TrainingRecipe.parts(of: data))
    }

    private func recipe(parts: [TrainingRecipe.Part]) throws -> TrainingRecipe {
        var recipe = TrainingRecipe(
            data: parts, target: target ?? "", task: task.kind, seed: seed, learner: try spec())
        recipe.weight = columns.weight
        recipe.group = group
        recipe.ignore = ColumnOptions.names(columns.ignore)
        recipe.categorical = ColumnOptions.names(columns.categorical)
        (recipe.holdout, recipe.trainRows) = (holdout, trainRows)
        let standard = try stopsEarly ? Self.validationDefault : nil
        recipe.validation = validation ?? standard
        return recipe
    }

    private var stopsEarly: Bool {
        get throws { try spec().value(of: LearnerParameter.earlyStoppingName) != nil }
    }

    private func spec() throws -> LearnerSpec {
        var pairs: [(name: String, value: String)] = []
        for text in param where text != "help" {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("--param takes NAME=VALUE, not '\(text)'.")
            }
            pairs.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
        }
        if let earlyStopping {
            pairs.append((LearnerParameter.earlyStoppingName, "\(earlyStopping)"))
        }
        do {
            return try LearnerSpec(learner, parameters: pairs, seed: seed)
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// What `--param help` prints.
    func parameterTable() throws -> String {
        let kind = try LearnerKind.named(learner)
        let rows = kind.parameters.map {
            [$0.name, $0.values, $0.standard, $0.meaning, $0.aliases.joined(separator: ", ")]
        }
        return "\(kind.name): \(kind.summary)\n\n"
            + TextTable.render(["PARAMETER", "VALUES", "DEFAULT", "MEANING", "ALSO"], rows)
    }
}

extension TrainingRecipe {
    /// The files that these paths, folders and patterns stand for, with their digests.
    static func parts(of paths: [String]) throws -> [Part] {
        try Dataset.files(of: paths).map { try Part(of: $0) }
    }
}

extension LearnerParameter {
    /// What `--early-stopping` sets.
    static let earlyStoppingName = "early_stopping_round"
}

extension TrainingRecipe.Part {
    /// A file that is not looked at.
    init(path: String) {
        self.path = path
    }
}
