internal import Foundation

/// Brings the facts of a spool to the server: one call's worth at a time, each so that bringing it
/// again changes nothing.
struct SpoolSender: Sendable {
    let client: MLflowClient
    /// The spool's.
    let folder: String
    /// Whether the run's own process sends; otherwise it is gone.
    let isLive: Bool

    struct Sent: Sendable {
        var result: SpoolResult?
        /// Parts that the server will never take.
        var refusals: [MLflowError] = []
    }

    /// - Parameters:
    ///   - facts: one, or several batches.
    ///   - isUncertain: whether the server may have them already.
    func send(
        _ facts: [SpoolFact], of summary: SpoolSummary, isUncertain: Bool
    ) async throws(MLflowError) -> Sent {
        if facts.count == 1, case .begin(let beginning) = facts[0] {
            return Sent(result: .run(try await begin(beginning)))
        }
        guard let run = summary.run else {
            throw LocalFiles.failure("replay the spool", folder, "its run was never begun")
        }
        if facts.count == 1, let sent = try await sendAlone(facts[0], run, summary, isUncertain) {
            return sent
        }
        var whole = LogBatch()
        for case .batch(let batch) in facts { whole.add(batch) }
        if isUncertain {
            whole.metrics = try await client.lacking(whole.metrics, run: run.id)
        }
        do throws(MLflowError) {
            try await client.log(whole, run: run.id)
            return Sent()
        } catch {
            guard facts.count == 1, case .never = SpoolVerdict(error) else { throw error }
            return try await sendParts(of: whole, run: run.id, after: error)
        }
    }

    /// The server stores a call wholly or not at all: one refused entry must not take the others
    /// along.
    private func sendParts(
        of batch: LogBatch, run id: String, after error: MLflowError
    ) async throws(MLflowError) -> Sent {
        var parts = [LogBatch(metrics: batch.metrics), LogBatch(tags: batch.tags)]
        parts += batch.parameters.map { LogBatch(parameters: [$0.key: $0.value]) }
        var refusals: [MLflowError] = []
        for part in parts where !part.isEmpty {
            do throws(MLflowError) {
                try await client.log(part, run: id)
            } catch {
                guard case .never = SpoolVerdict(error) else { throw error }
                refusals.append(error)
            }
        }
        return Sent(refusals: refusals)
    }

    /// Nil for a batch.
    private func sendAlone(
        _ fact: SpoolFact, _ run: SpoolRun, _ summary: SpoolSummary, _ isUncertain: Bool
    ) async throws(MLflowError) -> Sent? {
        switch fact {
        case .begin, .batch: return nil
        case .inputs(let inputs): try await log(inputs, run, isUncertain)
        case .artifact(let artifact): try await store(artifact, run)
        case .model(let model): return Sent(result: .model(try await store(model, run)))
        case .version(let version):
            return Sent(result: .version(try await make(version, run, summary)))
        case .end(let status, let time):
            try await tellDropped(summary, run)
            try await client.updateRun(run.id, status: status, endTime: time)
        case .abandoned(let status, let time):
            try await tellDropped(summary, run)
            let current = try await client.run(id: run.id)
            if current.status == .running || current.status == .scheduled {
                try await client.updateRun(run.id, status: status, endTime: time)
            }
        }
        return Sent()
    }

    // MARK: The run

    private func begin(_ beginning: SpoolBeginning) async throws(MLflowError) -> SpoolRun {
        let run: Run
        if let id = beginning.runID {
            run = try await resumed(id)
        } else {
            run = try await client.createRun(
                try await newRun(beginning), effectKey: beginning.effectKey)
        }
        // A run that was found may have been ended by a driver that came after this one.
        if isLive, run.status != .running {
            try await client.updateRun(run.id, status: .running)
        }
        return SpoolRun(run)
    }

    private func resumed(_ id: String) async throws(MLflowError) -> Run {
        let run = try await client.run(id: id)
        guard run.isActive else {
            throw MLflowError(
                .deleted, operation: "go on with the run", subject: id,
                message: "it is in MLflow's trash",
                nextStep: "Unset MLFLOW_RUN_ID, or restore the run.")
        }
        return run
    }

    private func newRun(_ beginning: SpoolBeginning) async throws(MLflowError) -> NewRun {
        var experimentID = beginning.experimentID ?? "0"  // "Default": every server has it
        if let name = beginning.experimentName {
            experimentID = try await client.experiment(named: name).id
        }
        var parent: String?
        switch beginning.parent {
        case .run(let id): parent = id
        case .spool(let name):
            parent = SpoolFolder.run(beside: folder, named: name)?.id
            guard parent != nil else {
                throw MLflowError(
                    .unreachable, operation: "create the run", subject: beginning.name ?? "unnamed",
                    message: "the run around it waits too")
            }
        case nil: break
        }
        return NewRun(
            experimentID: experimentID, name: beginning.name, user: beginning.user,
            tags: beginning.tags, parentRunID: parent, startTime: beginning.startTime)
    }

    /// A chart that has lost values says so.
    private func tellDropped(
        _ summary: SpoolSummary, _ run: SpoolRun
    ) async throws(MLflowError) {
        guard summary.droppedCount > 0 else { return }
        let tags = ["manta.metrics_dropped": String(summary.droppedCount)]
        try await client.log(LogBatch(tags: tags), run: run.id)
    }

    // MARK: What is not in batches

    private func log(
        _ inputs: [DatasetInput], _ run: SpoolRun, _ isUncertain: Bool
    ) async throws(MLflowError) {
        var inputs = inputs
        if isUncertain {
            let known = try await client.run(id: run.id).inputs
            inputs.removeAll { input in
                known.contains {
                    $0.name == input.name && $0.digest == input.digest
                        && $0.context == input.context
                }
            }
        }
        if !inputs.isEmpty { try await client.logInputs(inputs, run: run.id) }
    }

    private func store(
        _ artifact: SpooledArtifact, _ run: SpoolRun
    ) async throws(MLflowError) {
        let path = try filePath(artifact.file)
        try await client.uploadArtifact(
            path, to: try straight(run).artifactURI(), as: artifact.path)
    }

    private func store(
        _ model: SpooledModel, _ run: SpoolRun
    ) async throws(MLflowError) -> LoggedModel {
        let directory = try filePath(model.directory)
        return try await asMLflowError("store the model", model.model.name) {
            try await straight(run).logModel(model.model, effectKey: model.effectKey) { info in
                try SpoolFiles.finishModel(in: directory, written: model.written, actual: info)
                return directory
            }
        }
    }

    private func make(
        _ version: SpooledVersion, _ run: SpoolRun, _ summary: SpoolSummary
    ) async throws(MLflowError) -> String {
        let model: LoggedModel
        switch version.source {
        case .stored(let stored): model = stored
        case .fact(let number):
            guard let stored = summary.models[number] else {
                throw MLflowError(
                    .notFound, operation: "register the model", subject: version.name,
                    message: "its files could not be stored")
            }
            model = stored
        }
        return try await straight(run).register(
            model, as: version.name, aliases: version.aliases, description: version.description,
            tags: version.tags, effectKey: version.effectKey
        ).version
    }

    /// The run for calls that are made at once.
    private func straight(_ run: SpoolRun) -> ActiveRun {
        ActiveRun(run.run, client: client, effectKey: nil, interval: .seconds(1))
    }

    // MARK: Files

    /// - Throws: `fileFailed` for what is not plainly a name in the spool's folder.
    private func filePath(_ name: String) throws(MLflowError) -> String {
        let files = SpoolFile.files(in: folder)
        guard let path = try? ArtifactPath(name), path.segments.count == 1 else {
            throw LocalFiles.failure("read the spool", folder, "'\(name.prefix(80))' is no name")
        }
        var status = stat()
        guard lstat(path.below(files), &status) == 0, status.st_mode & S_IFMT != S_IFLNK else {
            throw LocalFiles.failure("read the file", path.below(files), "it is gone")
        }
        return path.below(files)
    }

    /// Removes the files that these facts kept.
    func discardFiles(of facts: [SpoolFact]) {
        for fact in facts {
            switch fact {
            case .artifact(let artifact):
                if let path = try? filePath(artifact.file) { LocalFiles.remove(path) }
            case .model(let model):
                guard let path = try? filePath(model.directory) else { continue }
                LocalFiles.remove(path)
                LocalFiles.remove(path + SpoolFiles.mlmodelSuffix)
            default: break
            }
        }
    }

    private func asMLflowError<Value>(
        _ operation: String, _ subject: String, _ body: () async throws -> Value
    ) async throws(MLflowError) -> Value {
        do {
            return try await body()
        } catch let error as MLflowError {
            throw error
        } catch {
            throw LocalFiles.failure(operation, subject, "\(error)")
        }
    }
}

extension MLflowClient {
    /// Histories that are read to find out whether a call arrived.
    static let checkedKeysMax = 64

    /// Those of one call's values that the server does not have.
    ///
    /// A call is stored whole: when all values of the first `checkedKeysMax` keys are there, so are
    /// the others.
    func lacking(_ metrics: [Metric], run id: String) async throws(MLflowError) -> [Metric] {
        var keys: [String] = []
        var known: Set<StoredValue> = []
        for metric in metrics where !keys.contains(metric.key) {
            guard keys.count < MLflowClient.checkedKeysMax else { break }
            keys.append(metric.key)
            let history = try await metricHistory(of: metric.key, run: id)
            known.formUnion(history.map(StoredValue.init))
        }
        let lacking = metrics.filter { keys.contains($0.key) && !known.contains(StoredValue($0)) }
        if lacking.isEmpty { return [] }
        return metrics.filter { !known.contains(StoredValue($0)) }
    }
}

/// A metric's value as servers tell values apart. They keep infinities as the largest numbers.
private struct StoredValue: Hashable {
    let key: String
    let step: Int64
    let timestamp: Int64
    let value: UInt64

    init(_ metric: Metric) {
        (key, step, timestamp) = (metric.key, metric.step, metric.timestamp)
        let greatest = Double.greatestFiniteMagnitude
        // Adding zero makes −0 and 0 the same; all NaN are.
        value =
            metric.value.isNaN
            ? Double.nan.bitPattern : (min(max(metric.value, -greatest), greatest) + 0).bitPattern
    }
}
