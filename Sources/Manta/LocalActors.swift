import Synchronization

/// The actors of a job that is alone: values of this process, without resources of their own.
actor LocalActors {
    private enum Home {
        case making([CheckedContinuation<any ActorBox, any Error>])
        case made(any ActorBox)
        case ended(JobError)
    }
    private var homes: [String: Home] = [:]

    /// Makes an actor and keeps it until the caller is cancelled.
    ///
    /// - Throws: `JobError.taskFailed` when it cannot be made, else `CancellationError`.
    func live(_ name: String, _ make: @Sendable () async throws -> any ActorBox) async throws
        -> Never
    {
        do {
            settle(name, .success(try await make()))
        } catch {
            let failure = JobError.taskFailed(task: name, message: JobError.message(of: error))
            settle(name, .failure(.taskLost(task: name, message: JobError.message(of: error))))
            throw failure
        }
        defer { homes[name] = .ended(.taskLost(task: name, message: "it was stopped")) }
        while true { try await Task.sleep(for: .seconds(3_600)) }
    }

    /// The actor of that name, once it is made.
    ///
    /// - Throws: `JobError.taskLost` with what ended it.
    func home(of name: String) async throws -> any ActorBox {
        switch homes[name] {
        case .made(let box): return box
        case .ended(let error): throw error
        case .making, nil:
            return try await withCheckedThrowingContinuation { continuation in
                guard case .making(let others) = homes[name] else {
                    homes[name] = .making([continuation])
                    return
                }
                homes[name] = .making(others + [continuation])
            }
        }
    }

    private func settle(_ name: String, _ outcome: Result<any ActorBox, JobError>) {
        let previous = homes[name]
        switch outcome {
        case .success(let box): homes[name] = .made(box)
        case .failure(let error): homes[name] = .ended(error)
        }
        guard case .making(let waiting)? = previous else { return }
        for continuation in waiting {
            continuation.resume(with: outcome.mapError { $0 as any Error })
        }
    }
}
