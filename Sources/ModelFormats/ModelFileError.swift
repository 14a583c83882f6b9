/// Why bytes are not a model, or a model cannot be written.
package enum ModelFileError: Error, Hashable, CustomStringConvertible {
    /// The first bytes are not those of a `model.manta`.
    case notAModelFile
    /// Written by another release of Manta.
    case unsupportedVersion(UInt32)
    /// Fewer bytes than the header promises, or more.
    case wrongSize(expected: UInt64, actual: Int)
    /// The content is not what was written.
    case checksumMismatch
    /// The bytes arrived whole, but `part` of them makes no sense.
    case malformed(part: String, problem: String)

    package var description: String {
        switch self {
        case .notAModelFile:
            "This is not a model.manta file: it does not start with the format's signature."
        case .unsupportedVersion(let version):
            "This model.manta has format version \(version); this build reads versions "
                + "\(ModelFileLayout.versionsRead.lowerBound) to \(ModelFileLayout.version). "
                + (version > ModelFileLayout.version
                    ? "Use a newer Manta." : "Train the model again.")
        case .wrongSize(let expected, let actual):
            "This model.manta should have \(expected) bytes and has \(actual). "
                + "Download or copy it again."
        case .checksumMismatch:
            "This model.manta is damaged: its checksum does not match. Download or copy it again."
        case .malformed(let part, let problem):
            "This model's \(part) cannot be used: \(problem)."
        }
    }
}
