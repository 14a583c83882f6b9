import Foundation
import JobChannel
import Jobs
import Processes

/// One attempt of one job's driver on this worker: build, start, serve, and say how it ended.
actor DriverRun {
    private let grant: Grant
    private let context: WorkerContext
    private let log: JobLog
    private let workspace: JobWorkspace
    private var attemptTask: Task<AttemptOutcome, any Error>?
    private var process: JobProcess?
    private(set) var session: DriverSession?
    /// Set when the attempt must end early.
    private var ending: Ending?

    enum Ending: Sendable { case stop, leaseLost }

    init(_ grant: Grant, context: WorkerContext, log: JobLog) {
        self.grant = grant
        self.context = context
        self.log = log
        workspace = JobWorkspace(configuration: context.configuration, job: grant.job)
    }

    /// Runs to the end; nil when the lease was lost and nothing may be reported.
    func run() async -> AttemptOutcome? {
        let outcome: AttemptOutcome
        let attempt = Task { try await self.attempt() }
        attemptTask = attempt
        if ending != nil { attempt.cancel() }
        do {
            outcome = try await attempt.value
        } catch is CancellationError {
            outcome = .cancelled(by: "stop")
        } catch BuildError.diagnostics(let text) {
            outcome = compileFailure(text)
        } catch {
            outcome = .failed(message: "\(error)")
            log.note("\(error)")
        }
        context.spools?.end(grant.job.id, token: grant.lease.token)
        // What is asked for from now on comes too late to change anything.
        let ending = ending
        await log.flush()
        switch ending {
        case .leaseLost: return nil
        case .stop: return .cancelled(by: "stop")
        case nil: return outcome
        }
    }

    /// What the driver printed last.
    var lastLines: [String] { process?.tail ?? [] }

    /// Asked by the worker: SIGTERM and later SIGKILL for a stop, SIGKILL at once for a lost lease.
    func end(_ reason: Ending) async {
        if ending != .leaseLost { ending = reason }
        // Before there is a process, nothing but the preparations can be ended.
        if process == nil { attemptTask?.cancel() }
        switch reason {
        case .stop: await process?.terminate()
        case .leaseLost: await process?.killNow()
        }
    }

    private func attempt() async throws -> AttemptOutcome {
        if grant.task.attempt > 1 {
            log.note(
                "The driver runs again on \(context.configuration.name), "
                    + "attempt \(grant.task.attempt); finished tasks are not repeated.")
        }
        let directory = try await workspace.prepare(context)
        switch grant.job.entrypoint {
        case .command(let command):
            return try await runCommand(command, in: directory)
        case .script(let fileName, let digest, let arguments):
            if await !context.builder.isBuilt(fileName: fileName, digest: digest) {
                await report(.compiling(worker: context.configuration.name))
            }
            let binary = try await context.builder.binary(fileName: fileName, digest: digest)
            return try await runDriver(binary, arguments, in: directory)
        }
    }

    private func runCommand(_ command: String, in directory: String) async throws -> AttemptOutcome
    {
        var specification = ChildProcess.Specification(
            "/bin/sh", ["-c", command], environment: workspace.environment())
        specification.workingDirectory = directory
        let process = try start(specification)
        await report(.running(worker: context.configuration.name))
        let exit = await process.wait()
        return outcome(of: exit, result: nil, process)
    }

    private func runDriver(
        _ binary: String, _ arguments: [String], in directory: String
    ) async throws -> AttemptOutcome {
        let token = await context.hub.makeToken()
        let process = try start(
            workspace.specification(
                binary: binary, arguments: arguments, role: "driver", channel: context.hub.path,
                token: token, workingDirectory: directory))
        let hub = context.hub
        async let reported: Void = report(.running(worker: context.configuration.name))
        let serving = Task { await serve(token, binary: binary) }
        let exit = await process.wait()
        await hub.cancel(token)
        await session?.end()
        await serving.value
        await reported
        return outcome(of: exit, result: await session?.result, process)
    }

    private func start(_ specification: ChildProcess.Specification) throws -> JobProcess {
        if ending != nil { throw CancellationError() }
        var specification = specification
        let spool = context.spools?.begin(grant.job.id, token: grant.lease.token) ?? [:]
        specification.environment.merge(spool) { _, new in new }
        let memory = context.memory.makeGroup()
        memory.begin(limitInBytes: context.memoryLimit(of: grant.task.spec.resources))
        let process = try JobProcess(
            specification, prefix: "", log: log,
            guardExecutable: context.configuration.guardExecutable,
            grace: context.configuration.stopGrace, memory: memory)
        self.process = process
        return process
    }

    private func serve(_ token: String, binary: String) async {
        guard let arrival = await context.hub.arrival(with: token) else { return }
        let session = DriverSession(
            connection: arrival.connection, store: context.store, lease: grant.lease,
            job: grant.job.id, pool: grant.job.poolName, priority: grant.job.priority,
            desk: BlobDesk(
                cache: context.cache, scratchDirectory: workspace.scratchDirectory, binary: binary),
            onLeaseLost: { [weak self] in await self?.end(.leaseLost) })
        self.session = session
        try? arrival.connection.send(
            ChannelMessage(
                .welcome(
                    Welcome(
                        protocolVersion: ChannelClient.protocolVersion,
                        job: grant.job.id.rawValue, node: context.configuration.name,
                        slots: await context.slots(of: grant.job.poolName),
                        scratchDirectory: workspace.scratchDirectory))))
        await session.run()
    }

    private func report(_ phase: JobPhase) async {
        // For people only: a store that is away does not hold the job up.
        try? await context.store.report(phase, of: grant.job.id, under: grant.lease)
    }

    private func compileFailure(_ diagnostics: String) -> AttemptOutcome {
        for line in diagnostics.split(separator: "\n", omittingEmptySubsequences: false).dropLast(
            diagnostics.hasSuffix("\n") ? 1 : 0)
        {
            log.append(.err, prefix: "", text: String(line), endsWithLineFeed: true, waits: false)
        }
        var subject = "script"
        if case .script(let name, _, _) = grant.job.entrypoint,
            name.hasSuffix(JobCompiler.packageSuffix)
        {
            subject = "package"
        }
        let errorCount = diagnostics.split(separator: "\n").count { $0.contains(": error: ") }
        let errors = errorCount == 1 ? "1 error" : "\(max(1, errorCount)) errors"
        return .crashed(
            message: "the \(subject) does not compile (\(errors))", exitCode: BuildError.exitCode,
            signal: nil)
    }

    private func outcome(
        of exit: ProcessExit, result: [UInt8]?, _ process: JobProcess
    ) -> AttemptOutcome {
        let cause = process.memoryUse.cause.map { "\(exit): \($0)" } ?? "\(exit)"
        return switch exit {
        case .code(0): .succeeded(.inline(result ?? []))
        case .code(let code):
            .crashed(message: message(cause, process.tail), exitCode: code, signal: nil)
        case .signal(let number):
            .crashed(message: message(cause, process.tail), exitCode: nil, signal: number)
        }
    }

    private func message(_ cause: String, _ tail: [String]) -> String {
        tail.isEmpty
            ? "the driver ended with \(cause)"
            : "the driver ended with \(cause); its last lines:\n" + tail.joined(separator: "\n")
    }
}
