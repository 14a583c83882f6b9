import DecisionForests
import Foundation

/// Figures of merit and confusion matrices as tables.
enum EvaluationText {
    /// Classes that a confusion matrix is shown for; wider ones fit no terminal.
    static let classesMax = 30

    /// One line per figure, one column per evaluation; "-" where one is not defined.
    static func table(_ columns: [(name: String, evaluation: Evaluation)]) -> String {
        var names: [String] = []
        for metric in columns.flatMap(\.evaluation.metrics) where !names.contains(metric.name) {
            names.append(metric.name)
        }
        let rows = names.map { name in
            [name] + columns.map { $0.evaluation[name].map(Figures.short) ?? "-" }
        }
        return TextTable.render(["METRIC"] + columns.map { $0.name.uppercased() }, rows)
    }

    /// How often rows of each class were answered how; empty for numbers.
    static func confusion(_ evaluation: Evaluation) -> String {
        let classes = evaluation.classes.map(\.description)
        guard !classes.isEmpty else { return "" }
        guard classes.count <= classesMax else {
            return "The confusion matrix has \(classes.count) classes; --json prints it.\n"
        }
        let rows = zip(classes, evaluation.confusion).map { name, counts in
            [name] + counts.map(String.init)
        }
        return TextTable.render(["TRUTH \\ ANSWER"] + classes, rows)
    }
}
