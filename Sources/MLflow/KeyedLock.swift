/// Lets one task at a time work under a key: a look-up and the create that follows it are one step
/// for the tasks of this process.
actor KeyedLock {
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    func withLock<Value: Sendable>(
        _ key: String, _ body: @Sendable () async throws(MLflowError) -> Value
    ) async throws(MLflowError) -> Value {
        await acquire(key)
        do throws(MLflowError) {
            let value = try await body()
            release(key)
            return value
        } catch {
            release(key)
            throw error
        }
    }

    private func acquire(_ key: String) async {
        guard waiting[key] != nil else {
            waiting[key] = []
            return
        }
        await withCheckedContinuation { waiting[key, default: []].append($0) }
    }

    private func release(_ key: String) {
        guard var queue = waiting[key], !queue.isEmpty else {
            waiting[key] = nil
            return
        }
        let next = queue.removeFirst()
        waiting[key] = queue
        next.resume()
    }
}
