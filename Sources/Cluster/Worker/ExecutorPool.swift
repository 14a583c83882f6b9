import Foundation
import Jobs
import Processes

/// The executors of one job on this worker, reused from task to task.
actor ExecutorPool {
    private let context: WorkerContext
    private let job: NewJob
    private let log: JobLog
    private let workspace: JobWorkspace
    private var idle: [(executor: Executor, since: ContinuousClock.Instant)] = []
    /// Attempts without an executor yet, and with one, by their lease's token.
    private var starting: [Int64: Task<Executor, any Error>] = [:]
    private var busy: [Int64: Executor] = [:]
    private var isClosed = false

    init(job: NewJob, context: WorkerContext, log: JobLog) {
        self.job = job
        self.context = context
        self.log = log
        workspace = JobWorkspace(configuration: context.configuration, job: job)
    }

    /// Runs one attempt to its end. Answers how it ended and, when it failed, what it printed last.
    func run(_ grant: Grant) async -> (outcome: AttemptOutcome, lastLines: [String]) {
        let token = grant.lease.token
        let start = Task { try await obtain() }
        starting[token] = start
        let found = await start.result
        starting[token] = nil
        switch found {
        case .success(let executor) where start.isCancelled:
            giveBack(executor)
            return (.cancelled(by: "stop"), [])
        case .success(let executor):
            busy[token] = executor
            let outcome = await executor.run(
                grant.task, memoryLimit: context.memoryLimit(of: grant.task.spec.resources))
            busy[token] = nil
            let lastLines = outcome.isFailure ? await executor.lastLines : []
            if await executor.isUsable { giveBack(executor) }
            await log.flush()
            return (outcome, lastLines)
        case .failure where start.isCancelled:
            return (.cancelled(by: "stop"), [])
        case .failure(let error):
            await log.flush()
            return (ExecutorPool.outcome(of: error), (error as? ExecutorError)?.tail ?? [])
        }
    }

    /// What does not compile, or cannot be downloaded, will not the next time either; anything else
    /// may pass.
    static func outcome(of error: any Error) -> AttemptOutcome {
        if error is BuildError || error is DownloadError || error is ZipError {
            return .failed(message: "\(error)")
        }
        return .crashed(message: "\(error)", exitCode: nil, signal: nil)
    }

    /// Ends an attempt and its executor at once.
    func cancel(token: Int64) async {
        starting[token]?.cancel()
        await busy[token]?.killNow()
    }

    /// Begins to end executors that had nothing to do since before `limit`.
    func endIdle(olderThan limit: Duration) {
        let cutoff = ContinuousClock.now - limit
        let old = idle.filter { $0.since < cutoff }
        idle.removeAll { $0.since < cutoff }
        for entry in old { Task { await entry.executor.shutDown() } }
    }

    func close() async {
        isClosed = true
        for start in starting.values { start.cancel() }
        let all = idle.map(\.executor) + busy.values
        idle = []
        await withDiscardingTaskGroup { group in
            for executor in all { group.addTask { await executor.shutDown() } }
        }
    }

    private func obtain() async throws -> Executor {
        while let entry = idle.popLast() {
            if await entry.executor.isUsable { return entry.executor }
        }
        guard case .script(let fileName, let digest, let arguments) = job.entrypoint else {
            throw BuildError.diagnostics("only scripts have tasks")
        }
        let binary = try await context.builder.binary(fileName: fileName, digest: digest)
        return try await Executor.start(
            binary: binary, arguments: arguments, workspace: workspace, context: context, log: log)
    }

    private func giveBack(_ executor: Executor) {
        if isClosed {
            Task { await executor.shutDown() }
        } else {
            idle.append((executor, .now))
        }
    }
}
