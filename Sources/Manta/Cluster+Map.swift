extension Cluster {
    /// Runs the task on every input and answers the outputs in the inputs' order.
    ///
    /// At most `maxInFlight` calls are handed out at a time (by default twice the slots and two,
    /// which keeps every executor busy while answers travel). The first failure ends the map:
    /// calls that run are given up, the rest is never started.
    ///
    /// - Throws: what the first failing call threw.
    public func map<Input, Output>(
        _ task: RemoteTask<Input, Output>, over inputs: some Sequence<Input>,
        maxInFlight: Int? = nil
    ) async throws -> [Output] {
        let inputs = Array(inputs)
        let progress = Progress(task.name, total: inputs.count)
        return try await map(
            task, over: inputs, maxInFlight: maxInFlight, weight: { _ in 1 }, progress)
    }

    /// As above; each finished input moves the progress line on by its weight.
    func map<Input, Output>(
        _ task: RemoteTask<Input, Output>, over inputs: [Input], maxInFlight: Int?,
        weight: (Input) -> Int, _ progress: Progress
    ) async throws -> [Output] {
        precondition(maxInFlight ?? 1 > 0, "maxInFlight must be positive")
        var outputs = [Output?](repeating: nil, count: inputs.count)
        defer { progress.end() }
        try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var started = 0
            var ended = 0
            while ended < inputs.count {
                while started < inputs.count, started - ended < maxInFlight ?? (2 * slots + 2) {
                    let index = started
                    let call = try await prepare(task, inputs[index])
                    group.addTask { (index, try await self.finish(task, call)) }
                    started += 1
                }
                guard let (index, output) = try await group.next() else { break }
                outputs[index] = output
                ended += 1
                progress.add(weight(inputs[index]))
            }
        }
        return outputs.compactMap { $0 }
    }
}
