import ArgumentParser
import DecisionForests
import Foundation

/// What `train` and `evaluate` are told about columns.
struct ColumnOptions: ParsableArguments {
    @Option(help: "The column that says how much each row counts.")
    var weight: String?

    @Option(help: "Columns that are not read, separated by commas; repeatable.")
    var ignore: [String] = []

    @Option(help: "Columns of names, even if they look like numbers; repeatable.")
    var categorical: [String] = []

    /// "a,b" and "c" as a, b, c.
    static func names(_ texts: [String]) -> [String] {
        texts.flatMap { $0.split(separator: ",").map(String.init) }
    }
}

/// "auto", "classification", "regression".
enum TaskOption: String, ExpressibleByArgument, CaseIterable {
    case auto, classification, regression

    var kind: Dataset.TargetKind {
        switch self {
        case .auto: .automatic
        case .classification: .classification
        case .regression: .regression
        }
    }
}

extension TrainingRecipe {
    /// Reads the data this recipe names.
    ///
    /// Throws `DatasetError` naming file, line and column of what cannot be used.
    func load(threads: Int) throws -> Dataset {
        var options = ReadOptions(target: target, task: task, weight: weight, group: group)
        options.ignore = Set(ignore)
        options.categorical = Set(categorical)
        options.threads = threads
        return try Dataset.load(data.map(\.path), options: options)
    }
}
