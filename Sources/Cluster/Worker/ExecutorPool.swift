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
    private var busy: [Int64: Executor] = [:]
    /// Tokens of attempts that were cancelled before an executor was found for them.
    private var cancelledEarly: Set<Int64> = []
    private var isClosed = false

    init(job: NewJob, context: WorkerContext, log: JobLog) {
        self.job = job
        self.context = context
        self.log = log
        workspace = JobWorkspace(configuration: context.configuration, job: job)
    }

    /// Runs one attempt to its end.
    func run(_ grant: Grant) async -> AttemptOutcome {
        let token = grant.lease.token
        do {
            let executor = try await obtain()
            if cancelledEarly.remove(token) != nil {
                giveBack(executor)
                return .cancelled(by: "stop")
            }
            busy[token] = executor
            let outcome = await executor.run(grant.task)
            busy[token] = nil
            if await executor.isUsable { giveBack(executor) }
            await log.flush()
            return outcome
        } catch BuildError.diagnostics(let text) {
            return .failed(message: text)
        } catch let error as ExecutorError {
            await log.flush()
            return .crashed(message: "\(error)", exitCode: nil, signal: nil)
        } catch {
            return .failed(message: "\(error)")
        }
    }

    /// Ends an attempt's executor at once.
    func cancel(token: Int64) async {
        if let executor = busy[token] {
            await executor.killNow()
        } else {
            cancelledEarly.insert(token)
        }
    }

    /// Ends executors that had nothing to do since before `limit`.
    func endIdle(olderThan limit: Duration) async {
        let cutoff = ContinuousClock.now - limit
        let old = idle.filter { $0.since < cutoff }
        idle.removeAll { $0.since < cutoff }
        for entry in old { await entry.executor.shutDown() }
    }

    func close() async {
        isClosed = true
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
