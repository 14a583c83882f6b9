import ArgumentParser
import JobChannel
import Synchronization

/// Runs a job without options; see `runJob(_:_:)`.
public func runJob(
    file: String = #fileID,
    _ body: @escaping @Sendable (_ cluster: Cluster) async throws -> Void
) async throws {
    try await runJob(NoOptions.self, file: file) { _, cluster in try await body(cluster) }
}

/// Runs a job: the last statement of a script.
///
/// What happens depends on how the process was started. Alone and as a driver the closure runs;
/// as an executor the process serves the script's tasks and never returns; `describe` prints what
/// the script declares. An error that the closure throws is printed as `error: …` and ends the
/// process with status 1, so nothing is ever thrown to the script: `try` leaves room for a role
/// that does.
public func runJob<Options: JobOptions>(
    _ options: Options.Type, file: String = #fileID,
    _ body: @escaping @Sendable (_ options: Options, _ cluster: Cluster) async throws -> Void
) async throws {
    StandardStreams.makeLineBuffered()
    ScriptName.value = ScriptName.fileName(of: file)
    FitTasks.declare()
    do {
        let environment = try DriverEnvironment.ofThisProcess()
        try TaskRegistry.shared.withLock { try $0.close() }
        switch environment.role {
        case .describe:
            let names = TaskRegistry.shared.withLock { $0.names }
            StandardStreams.writeLine(try JobDescription(of: options, tasks: names).line())
            ExitStatus.leave(ExitStatus.success)
        case .executor(let channel): try await serve(channel)
        case .driver(let channel):
            let options = parseCommandLine(options)
            try await drive(channel, environment) { try await body(options, $0) }
        case .alone:
            let options = parseCommandLine(options)
            try await runAlone(environment) { try await body(options, $0) }
        }
    } catch {
        leave(with: error)
    }
}

private func parseCommandLine<Options: JobOptions>(_ type: Options.Type) -> Options {
    switch ParsedOptions<Options>.parse(Array(CommandLine.arguments.dropFirst())) {
    case .options(let options): return options
    case .message(let text):
        StandardStreams.writeLine(text)
        ExitStatus.leave(ExitStatus.success)
    case .failure(let text):
        StandardStreams.writeError(text + "\n")
        ExitStatus.leave(ExitStatus.usage)
    }
}

/// Prints the error and ends the process the way its cause asks for.
private func leave(with error: any Error) -> Never {
    if let status = StopSignals.exitStatus { ExitStatus.leave(status) }
    // The script chose its own status: `throw ExitCode(3)`.
    if let code = error as? ExitCode { ExitStatus.leave(code.rawValue) }
    StandardStreams.flush()
    StandardStreams.writeError("error: \(JobError.message(of: error))\n")
    if case JobError.duplicateTasks = error { ExitStatus.leave(ExitStatus.badScript) }
    ExitStatus.leave(ExitStatus.failure)
}

// MARK: Roles

private func runAlone(
    _ environment: DriverEnvironment, _ body: @escaping @Sendable (Cluster) async throws -> Void
) async throws {
    let cluster = Cluster(LocalRunner(slots: environment.threads), environment)
    let job = CurrentJob(environment: environment, jobID: nil, script: ScriptName.value)
    try await CurrentJob.$value.withValue(job) {
        try await runStoppably { try await body(cluster) }
    }
    try await cluster.deliverResult()
    if let status = StopSignals.exitStatus { ExitStatus.leave(status) }
    StandardStreams.flush()
}

private func drive(
    _ channel: DriverEnvironment.Channel, _ environment: DriverEnvironment,
    _ body: @escaping @Sendable (Cluster) async throws -> Void
) async throws -> Never {
    let client = try await ChannelClient.connect(
        path: channel.path, token: channel.token, role: .driver)
    let stop = Stopper()
    let runner = ChannelRunner(client, onShutdown: { stop.stop() })
    runner.whenWorkerGone { ExitStatus.leaveAtOnce(ExitStatus.failure) }
    let listening = Task { try await runner.listen() }
    let cluster = Cluster(runner, environment)
    let job = CurrentJob(
        environment: environment, jobID: runner.jobID, script: ScriptName.value)
    try await CurrentJob.$value.withValue(job) {
        try await runStoppably(stop) { try await body(cluster) }
    }
    try await cluster.deliverResult()
    StandardStreams.flush()
    await runner.close()
    listening.cancel()
    ExitStatus.leave(StopSignals.exitStatus ?? ExitStatus.success)
}

private func serve(_ channel: DriverEnvironment.Channel) async throws -> Never {
    let client = try await ChannelClient.connect(
        path: channel.path, token: channel.token, role: .executor)
    let executor = Executor(client)
    executor.whenWorkerGone { ExitStatus.leaveAtOnce(ExitStatus.failure) }
    try await executor.serve()
    ExitStatus.leave(ExitStatus.success)
}

/// Runs the closure in a task of its own, which a signal or the worker's `shutdown` cancels.
private func runStoppably(
    _ stopper: Stopper = Stopper(), _ body: @escaping @Sendable () async throws -> Void
) async throws {
    let task = Task { try await body() }
    stopper.onStop { task.cancel() }
    StopSignals.watch { stopper.stop() }
    try await task.value
}
