internal import Synchronization

/// The parameters that a run has logged in this process, to tell at once when one changes.
final class LoggedParameters: Sendable {
    private let parameters = Mutex<[String: String]>([:])

    /// Remembers them.
    ///
    /// - Throws: `parameterChanged` for the first that has another value; none is remembered then.
    func check(_ new: [String: String]) throws(MLflowError) {
        let changed = parameters.withLock { parameters -> (key: String, old: String)? in
            for (key, value) in new {
                if let old = parameters[key], old != value { return (key, old) }
            }
            parameters.merge(new) { old, _ in old }
            return nil
        }
        guard let changed else { return }
        throw MLflowError(
            .parameterChanged, operation: "log the parameter", subject: changed.key,
            message: "it has the value '\(changed.old)' already; the new one is "
                + "'\(new[changed.key] ?? "")'")
    }
}
