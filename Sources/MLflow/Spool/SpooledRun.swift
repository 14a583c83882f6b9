/// A run of a job script, whose recording never fails the job: what is logged is written to a spool
/// on this machine first, and sent from there each second while the server answers.
///
/// What is the user's mistake is still an error: a parameter changed, a name that MLflow refuses.
/// It is thrown at once where it is known here, and by the next call where the server found it.
package final class SpooledRun: Sendable {
    /// Of a model that was logged.
    package enum Model: Sendable, Hashable {
        case stored(LoggedModel)
        /// It waits in the spool.
        case waiting(fact: Int, name: String)

        /// What a model version names as its source.
        package var uri: String {
            switch self {
            case .stored(let model): model.uri
            case .waiting(_, let name): "pending:" + name
            }
        }
    }

    package let effectKey: String
    /// As it was asked for; "" when MLflow invents one.
    package let name: String
    let spool: RunSpool
    let client: MLflowClient
    private let health: ServerHealth
    private let ticker: SpoolTicker
    private let parameters = LoggedParameters()

    init(
        _ beginning: SpoolBeginning, spool: RunSpool, client: MLflowClient, health: ServerHealth,
        interval: Duration
    ) {
        effectKey = beginning.effectKey
        name = beginning.name ?? ""
        (self.spool, self.client, self.health) = (spool, client, health)
        ticker = SpoolTicker(spool, clock: client.clock, interval: interval)
    }

    /// How a run inside this one names it.
    package var asParent: SpoolBeginning.Parent {
        if let run { return .run(id: run.id) }
        return .spool(name: spool.folder.split(separator: "/").last.map(String.init) ?? "")
    }

    /// The run as the server has it; nil while it waits to be created.
    package var run: SpoolRun? { spool.run }
    /// The run's page; nil while the run waits.
    package var link: String? { run.map { client.links.run($0.run) } }
    package var experimentLink: String? { run.map { client.links.experiment($0.experimentID) } }

    /// The folder above the run's: what `manta mlflow replay` is given.
    package var folder: String {
        String(spool.folder[..<(spool.folder.lastIndex(of: "/") ?? spool.folder.endIndex)])
    }

    package var backlog: SpoolBacklog { get async { await spool.backlog } }

    // MARK: Logging

    package func log(
        metrics: [String: Double], step: Int64 = 0
    ) async throws(MLflowError) {
        let time = client.now()
        let values = metrics.sorted { $0.key < $1.key }.map {
            Metric(key: $0.key, value: $0.value, timestamp: time, step: step)
        }
        try await log(LogBatch(metrics: values))
    }

    /// - Throws: `parameterChanged` when one was logged with another value before, now or by a
    ///   later call.
    package func log(parameters: [String: String]) async throws(MLflowError) {
        try await log(LogBatch(parameters: parameters))
    }

    package func log(tags: [String: String]) async throws(MLflowError) {
        try await log(LogBatch(tags: tags))
    }

    /// Keeps the entries for the next sending.
    ///
    /// - Throws: what is wrong with them; and what the server refused of earlier ones, these being
    ///   kept all the same.
    package func log(_ batch: LogBatch) async throws(MLflowError) {
        try batch.check()
        try parameters.check(batch.parameters)
        for piece in batch.pieces() { try await spool.add(.batch(piece)) }
        ticker.wake()
        try await throwRefusal()
    }

    private func throwRefusal() async throws(MLflowError) {
        if let refusal = await spool.takeRefusal() { throw refusal }
    }

    /// Sends all that waits, and returns when the server has it or cannot be reached.
    package func flush() async throws(MLflowError) {
        await spool.drain()
        try await throwRefusal()
    }

    // MARK: Calls that are made at once while the server answers

    package func log(inputs: [DatasetInput]) async throws(MLflowError) {
        let isDone: Void? = try await straight { run throws(MLflowError) in
            try await run.log(inputs: inputs)
        }
        if isDone == nil { try await keep(.inputs(inputs)) }
    }

    /// Stores a local file among the run's artifacts, by default under its own name.
    ///
    /// - Returns: false when the server is away and the spool has no room for it.
    @discardableResult
    package func logArtifact(
        _ localPath: String, as path: String? = nil
    ) async throws(MLflowError) -> Bool {
        let place = path ?? localPath.split(separator: "/").last.map(String.init) ?? ""
        _ = try ArtifactPath(place)
        let isDone: Void? = try await straight { run throws(MLflowError) in
            try await run.logArtifact(localPath, as: place)
        }
        if isDone != nil { return true }
        guard try await spool.hasRoom(forFiles: LocalFiles.size(of: localPath)) else {
            return false
        }
        let file = try SpoolFiles.keep(copyOf: localPath, in: spool.folder)
        try await keepFiles(.artifact(SpooledArtifact(path: place, file: file)))
        return true
    }

    /// - Returns: as above.
    @discardableResult
    package func logArtifact(
        bytes: [UInt8], as path: String
    ) async throws(MLflowError) -> Bool {
        _ = try ArtifactPath(path)
        let isDone: Void? = try await straight { run throws(MLflowError) in
            try await run.logArtifact(bytes: bytes, as: path)
        }
        if isDone != nil { return true }
        guard try await spool.hasRoom(forFiles: Int64(bytes.count)) else { return false }
        let file = try SpoolFiles.keep(bytes: bytes, in: spool.folder)
        try await keepFiles(.artifact(SpooledArtifact(path: path, file: file)))
        return true
    }

    /// Stores a local folder's files among the run's artifacts.
    ///
    /// - Returns: the paths of those that had no room.
    @discardableResult
    package func logArtifacts(
        folder localPath: String, below path: String? = nil
    ) async throws(MLflowError) -> [String] {
        let isDone: Void? = try await straight { run throws(MLflowError) in
            try await run.logArtifacts(folder: localPath, below: path)
        }
        if isDone != nil { return [] }
        var left: [String] = []
        for entry in try SpoolFiles.files(below: localPath) {
            let place = (path.map { $0 + "/" } ?? "") + entry.text
            if try await !logArtifact(entry.below(localPath), as: place) { left.append(place) }
        }
        return left
    }

    /// Stores a model's directory as a logged model; see `ActiveRun.logModel`.
    ///
    /// - Parameter write: answers a local directory; the caller removes it when this returns.
    ///   Called again with other facts when the server went away meanwhile.
    /// - Returns: nil when the server is away and the spool has no room.
    package func logModel(
        _ new: NewLoggedModel, write: @Sendable (LoggedModelInfo) async throws -> String
    ) async throws -> Model? {
        let key = effectKey + "/model/" + new.name
        if let active = await straightRun() {
            do {
                return .stored(try await active.logModel(new, effectKey: key, write: write))
            } catch let error as MLflowError {
                try note(error)
            }
        }
        let info = SpoolFiles.placeholders(runID: run?.id, experimentID: run?.experimentID)
        let directory = try await write(info)
        guard try await spool.hasRoom(forFiles: LocalFiles.size(below: directory)) else {
            return nil
        }
        let kept = try SpoolFiles.keep(directory: directory, in: spool.folder)
        let number = try await keepFiles(
            .model(SpooledModel(model: new, effectKey: key, directory: kept, written: info)))
        return .waiting(fact: number, name: new.name)
    }

    /// Makes a version of a registered model, which is made when missing, and points aliases at it.
    ///
    /// - Returns: nil while it waits in the spool.
    package func register(
        _ model: Model, as name: String, aliases: [String] = []
    ) async throws(MLflowError) -> String? {
        var model = model
        if case .waiting(let fact, _) = model, let stored = await spool.model(ofFact: fact) {
            model = .stored(stored)
        }
        let source: SpooledVersion.Source
        let key: String
        switch model {
        case .stored(let stored):
            key = "\(effectKey)/version/\(name)/\(stored.name)"
            let version = try await straight { run throws(MLflowError) in
                try await run.register(stored, as: name, aliases: aliases, effectKey: key)
            }
            if let version { return version.version }
            source = .stored(stored)
        case .waiting(let fact, let modelName):
            try MLflowClient.checkRegistryName(name)
            key = "\(effectKey)/version/\(name)/\(modelName)"
            source = .fact(fact)
        }
        try await keep(
            .version(SpooledVersion(source: source, name: name, aliases: aliases, effectKey: key)))
        return nil
    }

    // MARK: Ending

    /// Notes how the run ended, and returns when the server knows or cannot be reached. A second
    /// call does nothing.
    ///
    /// - Throws: what the server refused since the last call; the run is then told as failed.
    package func end(_ status: RunStatus = .finished) async throws(MLflowError) {
        guard await !spool.isEnded else { return }
        if health.lastOutage == nil { await spool.drain() }
        let refusal = await spool.takeRefusal()
        do throws(MLflowError) {
            try await spool.add(.end(refusal == nil ? status : .failed, at: client.now()))
        } catch {
            // Two callers at once: the other one's word stands.
            guard error.kind == .runEnded else { throw error }
            return
        }
        if health.lastOutage == nil { await spool.drain() }
        ticker.wake()
        if let refusal { throw refusal }
    }

    /// Ends a run whose work has failed: that failure is what counts, not one of these calls. Works
    /// in a cancelled task too.
    package func abandon(as status: RunStatus) async {
        await Task { try? await end(status) }.value
    }

    /// Waits until the server has everything; false when it does not within `limit`.
    package func settle(within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while await !spool.isDrained {
            guard ContinuousClock.now < deadline else { return false }
            await spool.drain()
            if await spool.isDrained { return true }
            // A cancelled caller has no time left.
            guard (try? await client.clock.sleep(for: .milliseconds(500))) != nil else {
                return await spool.isDrained
            }
        }
        return true
    }

    // MARK: Helpers

    /// The run for calls made at once; nil while something waits or the server is away.
    private func straightRun() async -> ActiveRun? {
        guard health.lastOutage == nil else { return nil }
        await spool.drain()
        guard await spool.isDrained, let run else { return nil }
        return ActiveRun(run.run, client: client, effectKey: nil, interval: .seconds(1))
    }

    /// Nil when the server is away, so that the spool must keep it.
    private func straight<Value: Sendable>(
        _ body: (ActiveRun) async throws(MLflowError) -> Value
    ) async throws(MLflowError) -> Value? {
        guard let run = await straightRun() else { return nil }
        do throws(MLflowError) {
            return try await body(run)
        } catch {
            try note(error)
            return nil
        }
    }

    /// Throws on what is not the server's absence.
    private func note(_ error: MLflowError) throws(MLflowError) {
        guard error.isTransient else { throw error }
        health.failed(error)
        ticker.wake()
    }

    @discardableResult
    private func keep(_ fact: SpoolFact) async throws(MLflowError) -> Int {
        let number = try await spool.add(fact) ?? 0
        ticker.wake()
        return number
    }

    @discardableResult
    private func keepFiles(_ fact: SpoolFact) async throws(MLflowError) -> Int {
        let number = try await keep(fact)
        await spool.filesChanged()
        return number
    }
}
