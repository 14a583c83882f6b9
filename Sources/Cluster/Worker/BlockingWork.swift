import Dispatch

/// Runs file work that takes long where it may block: off the few threads all asynchronous code
/// shares.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "manta.blocking", attributes: .concurrent)

    static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
