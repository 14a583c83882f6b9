import Dispatch

/// Runs work that blocks or computes for long away from the threads that answer requests.
enum OffPool {
    private static let queue = DispatchQueue(label: "manta.serving.load", attributes: .concurrent)

    static func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result(catching: work))
            }
        }
        return try result.get()
    }
}
