/// Starts runs: what a job asks for when it wants its work on record.
package struct RunRecorder: Sendable {
    package let client: MLflowClient
    private let interval: Duration

    /// - Parameter interval: how long a logged value may wait before it is sent.
    package init(_ client: MLflowClient, flushInterval interval: Duration = .seconds(1)) {
        self.client = client
        self.interval = interval
    }

    /// What a run is started with.
    package struct Options: Sendable, Hashable {
        /// Wins over the configuration's; "Default" when neither is set.
        package var experiment: String?
        package var name: String?
        /// See `EffectKey`: a restarted driver that gives the same key goes on with the same run.
        package var effectKey: String?
        package var parentRunID: String?
        package var user: String?
        /// What ran: shown in MLflow's "Source" column.
        package var sourceName: String?
        package var tags: [String: String] = [:]

        package init() {}
    }

    /// Starts a run, or goes on with the configured one (MLFLOW_RUN_ID) or the effect key's.
    ///
    /// A configured run id counts for top-level runs only: a nested run is always one of its own.
    package func start(_ options: Options = Options()) async throws(MLflowError) -> ActiveRun {
        let run: Run
        if let id = client.configuration.runID, options.parentRunID == nil {
            run = try await resume(id)
        } else {
            run = try await create(options)
        }
        if run.status != .running {
            try await client.updateRun(run.id, status: .running)
        }
        let active = ActiveRun(
            run, client: client, effectKey: options.effectKey, interval: interval)
        await active.startTicking()
        return active
    }

    /// Runs `body` within a run that is ended as finished, failed or killed, as `body` ends.
    package func run<Result: Sendable>(
        _ options: Options = Options(),
        _ body: @Sendable (ActiveRun) async throws -> Result
    ) async throws -> Result {
        let active = try await start(options)
        let result: Result
        do {
            result = try await body(active)
        } catch {
            let status = error is CancellationError ? RunStatus.killed : .failed
            await active.abandon(as: Task.isCancelled ? .killed : status)
            throw error
        }
        try await active.end(.finished)
        return result
    }

    private func resume(_ id: String) async throws(MLflowError) -> Run {
        let run = try await client.run(id: id)
        guard run.isActive else {
            throw MLflowError(
                .deleted, operation: "go on with the run", subject: id,
                message: "it is in MLflow's trash",
                nextStep: "Unset MLFLOW_RUN_ID, or restore the run.")
        }
        return run
    }

    private func create(_ options: Options) async throws(MLflowError) -> Run {
        var new = NewRun(
            experimentID: try await experimentID(options), name: options.name, user: options.user,
            tags: options.tags, parentRunID: options.parentRunID)
        new.tags["mlflow.source.type"] = "JOB"
        if let source = options.sourceName { new.tags["mlflow.source.name"] = source }
        return try await client.createRun(new, effectKey: options.effectKey)
    }

    private func experimentID(_ options: Options) async throws(MLflowError) -> String {
        if let name = options.experiment { return try await client.experiment(named: name).id }
        if let id = client.configuration.experimentID { return id }
        if let name = client.configuration.experimentName {
            return try await client.experiment(named: name).id
        }
        return "0"  // "Default": every server has it
    }
}
