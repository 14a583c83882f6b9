/// Work that many ask for and one task does: callers of one key share its outcome.
///
/// A caller that is cancelled leaves at once; the work is cancelled when the last caller has left,
/// and the next work on the same key begins when it has ended.
actor SingleFlight<Value: Sendable> {
    private struct Flight {
        let number: Int
        let task: Task<Void, Never>
        var callers: [Int: CheckedContinuation<Value, any Error>] = [:]
    }
    private var flights: [String: Flight] = [:]
    /// Cancelled work that has not ended yet.
    private var abandoned: [String: Flight] = [:]
    private var lastNumber = 0

    /// Joins the work on `key`, or starts it.
    func value(
        of key: String, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let caller = nextNumber()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { join(key, as: caller, $0, work) }
        } onCancel: {
            // Runs after `join`: both need this actor, and `join` holds it already.
            Task { await self.leave(key, as: caller) }
        }
    }

    private func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    private func join(
        _ key: String, as caller: Int, _ continuation: CheckedContinuation<Value, any Error>,
        _ work: @escaping @Sendable () async throws -> Value
    ) {
        if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
        if flights[key] == nil {
            let number = nextNumber()
            let previous = abandoned[key]?.task
            let task = Task {
                await previous?.value
                await fly(key, number, work)
            }
            flights[key] = Flight(number: number, task: task)
        }
        flights[key]?.callers[caller] = continuation
    }

    private func leave(_ key: String, as caller: Int) {
        guard let continuation = flights[key]?.callers.removeValue(forKey: caller) else { return }
        continuation.resume(throwing: CancellationError())
        if flights[key]?.callers.isEmpty == true, let flight = flights.removeValue(forKey: key) {
            flight.task.cancel()
            abandoned[key] = flight
        }
    }

    private func fly(
        _ key: String, _ number: Int, _ work: @Sendable () async throws -> Value
    ) async {
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await work())
        } catch {
            outcome = .failure(error)
        }
        if abandoned[key]?.number == number { abandoned[key] = nil }
        guard flights[key]?.number == number else { return }
        for caller in (flights.removeValue(forKey: key)?.callers ?? [:]).values {
            caller.resume(with: outcome)
        }
    }
}
