/// Why a model, or a question about it, cannot be explained.
public enum ExplanationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The tree does not know how much training weight reached its nodes.
    case noCovers(tree: Int)
    /// The node compares a weighted sum of features.
    case weightedSum(tree: Int, node: Int)
    /// A path has too many tests, or the tree too many leaves: what is wrong.
    case shape(tree: Int, problem: String)
    /// Zeros count as missing, or unknown categories go right, as in other libraries' models.
    case foreignRules
    /// The ensemble breaks a rule that prediction relies on.
    case damaged(EnsembleError)
    /// The rows or the answer do not fit: what is wrong.
    case rows(String)
    /// The grid or the features of a partial dependence cannot be used: what is wrong.
    case grid(String)

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .noCovers(let tree):
            "Tree \(tree) does not know how many training rows reached its nodes, which "
                + "contributions are weighed by. Train the model again with this release."
        case .weightedSum(let tree, let node):
            "Tree \(tree), node \(node) compares a weighted sum of features. A path through such "
                + "a node cannot be followed for one of them and left open for another, so "
                + "oblique forests have no path-dependent contributions. Explain an axis-parallel "
                + "model, or ask for partial dependence by averaging."
        case .shape(let tree, let problem):
            "Tree \(tree) cannot be explained: \(problem)."
        case .foreignRules:
            "The model has another library's rules for zeros or unknown categories, which "
                + "contributions do not follow yet."
        case .damaged(let error):
            "The model cannot be explained. \(error)"
        case .rows(let problem):
            "The rows cannot be explained: \(problem)."
        case .grid(let problem):
            "The partial dependence cannot be computed: \(problem)."
        }
    }
}
