/// Why a learner cannot learn from this data.
public enum TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The data set has no rows.
    case noRows
    /// The learner needs classes; the target holds numbers.
    case targetHoldsNumbers(target: String)
    /// The learner needs numbers; the target holds classes.
    case targetHoldsClasses(target: String)
    /// Every row has weight zero.
    case noWeight
    /// A linear classifier needs rows of two classes.
    case oneClass
    /// Columns depend on each other and there is no penalty to choose between the solutions.
    case singular
    /// With one column per level of the categorical ones there are more than a learner takes.
    case tooWide(columns: Int, most: Int)
    /// The learner adds up values, and the codes of these columns' names cannot be added.
    case unorderedColumns([String])
    /// The learner needs the columns' values, and only their bins are there.
    case noColumns
    /// The objective needs numbers that are not negative.
    case negativeTargets(target: String)
    /// Early stopping was asked for without rows to judge by.
    case noValidationRows
    /// The validation rows are not like the training rows.
    case validationDiffers(String)
    /// A gradient or a hessian is infinite or not a number.
    case gradientNotFinite(round: Int)
    /// The model cannot be continued with these rows and parameters.
    case cannotContinue(String)
    /// A checkpoint is not one of this learner on these rows.
    case cannotResume(String)
    /// The trees given do not make up the forest.
    case treeCount(expected: Int, found: Int)

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .noRows:
            "The data set has no rows to learn from."
        case .targetHoldsNumbers(let target):
            "Target '\(target)' holds numbers; use a regressor, or read it as classification."
        case .targetHoldsClasses(let target):
            "Target '\(target)' holds classes; use a classifier, or read it as regression."
        case .noWeight:
            "Every row has weight zero; at least one must count."
        case .oneClass:
            "The target has fewer than two classes; there is nothing to tell apart."
        case .singular:
            "Some columns depend on each other; raise alpha above 0."
        case .tooWide(let columns, let most):
            "With one column for each level there are \(columns) columns, at most \(most) work; "
                + "leave out columns with many levels."
        case .unorderedColumns(let names):
            "The learner adds columns up, which names do not allow: "
                + names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
                + (names.count > 20 ? " and \(names.count - 20) more" : "")
                + ". Leave these columns out, or use a forest or a booster."
        case .noColumns:
            "The learner needs the columns' values; only their bins were given."
        case .negativeTargets(let target):
            "Target '\(target)' has negative numbers, which the objective does not allow."
        case .noValidationRows:
            "Early stopping needs validation rows; give some, or set early_stopping_round to 0."
        case .validationDiffers(let difference):
            "The validation rows differ from the training rows: \(difference)."
        case .gradientNotFinite(let round):
            "Round \(round) has a gradient that is no finite number; lower the learning rate, "
                + "scale the target or the weights, or check the objective."
        case .cannotContinue(let reason):
            "The model cannot be continued: \(reason)."
        case .cannotResume(let reason):
            "The checkpoint is of another fit: \(reason)."
        case .treeCount(let expected, let found):
            "The forest has \(expected) trees, \(found) were given."
        }
    }
}
