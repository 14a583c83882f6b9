/// A pool of connections with an async face.
///
/// Each lane is a thread with one connection. A lane takes whatever waits and sends it as one
/// pipeline, so many callers share few round trips. While the server is away commands wait for
/// `RedisOptions.patience` and then fail with `.unavailable`; connections come back by themselves.
package final class RedisClient: Sendable {
    package let endpoint: RedisEndpoint
    private let options: RedisOptions
    private let queue: RedisQueue

    package init(_ endpoint: RedisEndpoint, _ options: RedisOptions = RedisOptions()) {
        self.endpoint = endpoint
        self.options = options
        let queue = RedisQueue(pendingMax: options.pendingMax)
        self.queue = queue
        for number in 1...max(1, options.laneCount) {
            RedisThread.start("redis-\(number)") {
                var lane = RedisLane(endpoint, options, queue)
                lane.run()
            }
        }
    }

    deinit { queue.close() }

    /// Refuses new commands; those that were accepted are still answered.
    package func close() { queue.close() }

    /// Sends one command and answers its reply.
    ///
    /// - Parameter isRepeatable: whether it may be sent again when its reply was lost. Pass false
    ///   for what must not happen twice; the caller then gets `.lost`.
    /// - Throws: `.server` for an error that the server answered, and all of `RedisError`.
    package func send(
        _ command: RedisCommand, isRepeatable: Bool = true
    ) async throws(RedisError) -> RESPValue {
        let deadline = ContinuousClock.now + options.patience
        let result = await withCheckedContinuation { answer in
            queue.add(
                RedisQueue.Item(
                    command: command, isRepeatable: isRepeatable, deadline: deadline,
                    answer: answer))
        }
        let reply = try result.get()
        if case .error(let error) = reply { throw .server(error) }
        return reply
    }

    /// Sends many commands at once; replies in order.
    package func send(_ commands: [RedisCommand]) async throws(RedisError) -> [RESPValue] {
        let results = await withTaskGroup(of: (Int, Result<RESPValue, RedisError>).self) { group in
            for (index, command) in commands.enumerated() {
                group.addTask {
                    do throws(RedisError) {
                        return (index, .success(try await self.send(command)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var results = [Result<RESPValue, RedisError>](
                repeating: .failure(.closed), count: commands.count)
            for await (index, result) in group { results[index] = result }
            return results
        }
        var replies: [RESPValue] = []
        for result in results { replies.append(try result.get()) }
        return replies
    }
}
