/// What a failed call means for the facts it should have brought.
enum SpoolVerdict {
    /// The server cannot be reached or is not itself: the same call later.
    case later
    /// It will never take this, whoever asks and when.
    case never

    init(_ error: MLflowError) {
        switch error.kind {
        case .invalidValue, .parameterChanged, .notFound, .deleted, .alreadyExists,
            .registrationFailed, .unsupportedStore, .fileFailed, .runEnded, .spoolFull:
            self = .never
        // Credentials and addresses can be set right, and a proxy in front of a server that is gone
        // may answer anything.
        case .unreachable, .serverFailed, .cancelled, .unauthenticated, .forbidden, .hostRefused,
            .routeMissing, .invalidAnswer, .invalidConfiguration:
            self = .later
        }
    }
}
