internal import Foundation

/// Starts the runs of a job script.
package struct SpooledRecorder: Sendable {
    private let client: MLflowClient
    /// Where the runs' spools are made.
    package let folder: String
    private let budget: SpoolBudget
    private let health: ServerHealth
    private let interval: Duration

    /// A server that takes longer for one call counts as away. What it did all the same is found
    /// out before the call is made again.
    static let timeoutMax = Duration.seconds(20)
    /// Tries of one call before what it brings goes to the spool: a hiccup of a second or two is
    /// waited for, and no more.
    static let retriesMax = 2

    /// - Parameters:
    ///   - folder: of this process alone.
    ///   - interval: how long a logged value may wait before it is sent.
    package init(
        _ configuration: MLflowConfiguration, folder: String, budget: SpoolBudget,
        health: ServerHealth, interval: Duration = .seconds(1)
    ) {
        var configuration = configuration
        configuration.timeout = min(configuration.timeout, SpooledRecorder.timeoutMax)
        configuration.retriesMax = min(configuration.retriesMax, SpooledRecorder.retriesMax)
        client = MLflowClient(configuration)
        (self.folder, self.budget, self.health) = (folder, budget, health)
        self.interval = interval
    }

    /// Starts a run, or goes on with the configured one (MLFLOW_RUN_ID) or the effect key's. While
    /// the server is away the run begins in the spool and gets its id later.
    ///
    /// - Parameter effectKey: see `EffectKey`; what finds the run again.
    /// - Throws: what no waiting heals: a deleted experiment, a name that is refused, missing
    ///   credentials, a folder that cannot be written.
    package func start(
        _ options: RunRecorder.Options, effectKey: String, parent: SpoolBeginning.Parent? = nil
    ) async throws(MLflowError) -> SpooledRun {
        let beginning = try beginning(options, effectKey, parent)
        let path = SpoolFolder.newRun(in: folder, at: beginning.startTime)
        let spool = RunSpool(
            try SpoolFile.make(in: path),
            sender: SpoolSender(client: client, folder: path, isLive: true), budget: budget,
            health: health)
        do throws(MLflowError) {
            try await spool.add(.begin(beginning))
            if health.lastOutage == nil { await spool.drain() }
            if spool.run == nil, let outage = await spool.outage, !outage.isTransient {
                throw outage
            }
        } catch {
            LocalFiles.remove(path)
            throw error
        }
        return SpooledRun(
            beginning, spool: spool, client: client, health: health, interval: interval)
    }

    private func beginning(
        _ options: RunRecorder.Options, _ effectKey: String, _ parent: SpoolBeginning.Parent?
    ) throws(MLflowError) -> SpoolBeginning {
        _ = try EffectKey(effectKey)
        let configuration = client.configuration
        if let name = options.experiment, !(1...500).contains(name.count) {
            throw client.invalid(
                "get or create the experiment", name,
                "an experiment's name has 1 to 500 characters")
        }
        try LogBatch(tags: options.tags).check()
        var tags = options.tags
        tags["mlflow.source.type"] = "JOB"
        if let source = options.sourceName { tags["mlflow.source.name"] = source }
        return SpoolBeginning(
            trackingURI: configuration.trackingURI,
            experimentID: options.experiment == nil ? configuration.experimentID : nil,
            experimentName: options.experiment
                ?? (configuration.experimentID == nil ? configuration.experimentName : nil),
            runID: parent == nil ? configuration.runID : nil, name: options.name,
            user: options.user, tags: tags, effectKey: effectKey, parent: parent,
            startTime: client.now())
    }
}
