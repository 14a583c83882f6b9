import Foundation
import Jobs

/// The actors of one job that live on this worker, each an executor of its own.
actor ActorPool {
    /// How a life or a call ended, and what it printed last when it failed.
    typealias End = (outcome: AttemptOutcome, lastLines: [String])

    private let context: WorkerContext
    private let job: NewJob
    private let log: JobLog
    private let workspace: JobWorkspace
    /// Tells the worker whose calls it may ask for, and whose no more.
    private let onHome: @Sendable (_ instance: String, _ isHome: Bool) async -> Void
    /// By the token of the life's lease.
    private var starting: [Int64: Task<Executor, any Error>] = [:]
    private var living: [Int64: Executor] = [:]
    /// By the token of a call's lease.
    private var busy: [Int64: Executor] = [:]
    private var homes: [String: Executor] = [:]
    /// Why actors could not be made, or were ended by us: what their calls are told.
    private var causes: [String: String] = [:]
    private var isClosed = false

    init(
        job: NewJob, context: WorkerContext, log: JobLog,
        onHome: @escaping @Sendable (_ instance: String, _ isHome: Bool) async -> Void
    ) {
        self.job = job
        self.context = context
        self.log = log
        self.onHome = onHome
        workspace = JobWorkspace(configuration: context.configuration, job: job)
    }

    /// Runs a life or a call to its end.
    func run(_ grant: Grant, _ task: ActorTask) async -> End {
        let end =
            switch task {
            case .life(let instance): await begin(grant, instance)
            case .call(let instance): await call(grant, instance)
            }
        await log.flush()
        return end
    }

    /// Ends an actor at once: its life's lease is lost or cancelled, or that of a call which cannot
    /// be taken out of it.
    func cancel(token: Int64) async {
        starting[token]?.cancel()
        await living[token]?.killNow()
        await busy[token]?.killNow()
    }

    func close() async {
        isClosed = true
        for start in starting.values { start.cancel() }
        let all = Array(living.values)
        await withDiscardingTaskGroup { group in
            for executor in all { group.addTask { await executor.shutDown() } }
        }
    }

    // MARK: Lives

    private func begin(_ grant: Grant, _ instance: String) async -> End {
        let token = grant.lease.token
        let start = Task { try await launch() }
        starting[token] = start
        let found = await start.result
        starting[token] = nil
        switch found {
        case .success(let executor) where start.isCancelled || isClosed:
            await executor.killNow()
            return (.cancelled(by: "stop"), [])
        case .success(let executor):
            living[token] = executor
            let outcome = await live(grant, instance, in: executor)
            living[token] = nil
            let lastLines = outcome.isFailure ? await executor.lastLines : []
            await executor.killNow()
            return (outcome, lastLines)
        case .failure where start.isCancelled:
            return (.cancelled(by: "stop"), [])
        case .failure(let error):
            return (ExecutorPool.outcome(of: error), (error as? ExecutorError)?.tail ?? [])
        }
    }

    /// The worker asks for calls from the moment on at which the executor was told what it is, so
    /// that none comes before that, and until its end is known here.
    private func live(
        _ grant: Grant, _ instance: String, in executor: Executor
    ) async -> AttemptOutcome {
        homes[instance] = executor
        causes[instance] = nil
        let (told, teller) = AsyncStream.makeStream(of: Void.self)
        let announcing = Task { [onHome] in
            for await _ in told { await onHome(instance, true) }
        }
        let outcome = await executor.live(
            grant.task, instance: instance,
            memoryLimit: context.memoryLimit(of: grant.task.spec.resources)
        ) { teller.yield() }
        teller.finish()
        homes[instance] = nil
        if case .failed(let cause) = outcome { causes[instance] = cause }
        await announcing.value
        await onHome(instance, false)
        return outcome
    }

    private func launch() async throws -> Executor {
        guard case .script(let fileName, let digest, let arguments) = job.entrypoint else {
            throw BuildError.diagnostics("only scripts have actors")
        }
        let binary = try await context.builder.binary(fileName: fileName, digest: digest)
        return try await Executor.start(
            binary: binary, arguments: arguments, workspace: workspace, context: context, log: log)
    }

    // MARK: Calls

    /// A message that did not reach the actor goes back unharmed: to the one that follows, or until
    /// the driver's session gives it up.
    private func call(_ grant: Grant, _ instance: String) async -> End {
        guard let executor = homes[instance] else { return (.released, []) }
        let token = grant.lease.token
        busy[token] = executor
        defer { busy[token] = nil }
        let outcome = await executor.call(grant.task)
        let lastLines = outcome.isFailure ? await executor.lastLines : []
        guard case .crashed = outcome, let cause = causes[instance] else {
            return (outcome, lastLines)
        }
        return (.crashed(message: cause, exitCode: nil, signal: nil), lastLines)
    }
}
