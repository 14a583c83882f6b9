/// Why a signature cannot be read, or a row's columns do not fit it.
package enum ModelSignatureError: Error, Hashable, CustomStringConvertible {
    /// The JSON text is not one of columns.
    case malformed(side: String, problem: String)
    /// A tensor signature, whose columns have no names.
    case tensorForm(side: String)
    /// Two columns with one name cannot be matched.
    case duplicateColumn(String, side: String)
    /// A row lacks columns the signature requires.
    case missingColumns([String])

    package var description: String {
        switch self {
        case .malformed(let side, let problem):
            "The signature's \(side) cannot be read: \(problem)."
        case .tensorForm(let side):
            "The signature's \(side) are a tensor; only named columns are read. "
                + "Log the model with a column signature (infer_signature on a DataFrame)."
        case .duplicateColumn(let name, let side):
            "The column '\(name)' appears twice in the \(side)."
        case .missingColumns(let names):
            "The model needs columns that are missing: \(names.joined(separator: ", "))."
        }
    }
}
