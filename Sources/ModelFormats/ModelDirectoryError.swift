/// Why a model directory cannot be written or read, and what to do about it.
package enum ModelDirectoryError: Error, CustomStringConvertible {
    /// A file the directory needs is not there.
    case missingFile(path: String)
    /// A file is larger than this reader takes.
    case tooLarge(path: String, sizeInBytes: Int, limit: Int)
    /// The file system refused.
    case fileSystem(path: String, operation: String, cause: String)
    /// `MLmodel` is not what MLflow writes.
    case malformedMLmodel(problem: String)
    /// None of the flavors is one we read.
    case unsupportedFlavor(found: [String])
    /// A file is not the one that was written with the model.
    case digestMismatch(path: String, expected: FileDigest, actual: FileDigest)
    /// The signature names other columns than the model.
    case signatureMismatch(problem: String)
    /// `model.manta` cannot be read, or the model cannot be written.
    case modelFile(path: String, cause: ModelFileError)
    /// The signature cannot be read.
    case signature(ModelSignatureError)
    /// What the caller wants written with the model does not fit it.
    case invalidOption(name: String, problem: String)

    package var description: String {
        switch self {
        case .missingFile(let path):
            "The model directory has no \(path). Log the model again, or download all its files."
        case .tooLarge(let path, let size, let limit):
            "\(path) has \(size) bytes; at most \(limit) are read."
        case .fileSystem(let path, let operation, let cause):
            "Cannot \(operation) \(path): \(cause)."
        case .malformedMLmodel(let problem):
            "MLmodel cannot be read: \(problem). Log the model again with MLflow 2 or newer."
        case .unsupportedFlavor(let found):
            "The model's flavors are \(found.isEmpty ? "none" : found.joined(separator: ", ")); "
                + "only models trained with Manta (with manta/model.manta inside) are read. "
                + "Train it with Manta, or serve this one with `mlflow models serve`."
        case .digestMismatch(let path, let expected, let actual):
            "\(path) is not the file the model was logged with: its SHA-256 is \(actual), "
                + "not \(expected). Download it or log the model again."
        case .signatureMismatch(let problem):
            "The signature in MLmodel does not fit the model: \(problem). Log the model again."
        case .modelFile(let path, let cause): "\(path): \(cause)"
        case .signature(let cause): "MLmodel: \(cause)"
        case .invalidOption(let name, let problem):
            "\(name) does not fit the model: \(problem)."
        }
    }
}
