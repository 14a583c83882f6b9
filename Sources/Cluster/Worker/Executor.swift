import Foundation
import JobChannel
import Jobs
import Processes

/// One executor process: runs one task at a time and stays warm for its job, or is one actor.
actor Executor {
    private let process: JobProcess
    private let connection: ChannelConnection
    private let pid: Int32
    private let desk: BlobDesk
    private let node: String
    private var nextAssignment: UInt64 = 1
    /// Who waits for the answer to which assignment: one, and for an actor its life besides.
    private var waiting: [UInt64: CheckedContinuation<AttemptOutcome, Never>] = [:]
    private var exit: ProcessExit?
    private var isCancelling = false

    private init(
        process: JobProcess, arrival: ChannelHub.Arrival, desk: BlobDesk, node: String
    ) {
        self.process = process
        connection = arrival.connection
        pid = arrival.pid
        self.desk = desk
        self.node = node
    }

    /// A process that is not connected after this long is ended.
    static let connectMax = Duration.seconds(60)
    /// A process that closed its channel has this long to end by itself.
    static let partingMax = Duration.seconds(2)

    /// Starts the job's binary as an executor and waits until it is connected.
    ///
    /// Cancelled, it ends the process at once.
    /// - Throws: `ProcessError`, or `ExecutorError` when it ended before it connected.
    static func start(
        binary: String, arguments: [String], workspace: JobWorkspace, context: WorkerContext,
        log: JobLog
    ) async throws -> Executor {
        let directory = try await workspace.prepare(context)
        let token = await context.hub.makeToken()
        let process = try JobProcess(
            workspace.specification(
                binary: binary, arguments: arguments, role: "executor", channel: context.hub.path,
                token: token, workingDirectory: directory),
            prefix: "(executor, node=\(context.configuration.name)) ", log: log,
            guardExecutable: context.configuration.guardExecutable, grace: .seconds(1),
            memory: context.memory.makeGroup())
        let hub = context.hub
        let watch = Task {
            let exit = await process.wait()
            await hub.cancel(token)
            return exit
        }
        let deadline = Task {
            try await Task.sleep(for: Executor.connectMax)
            await process.killNow()
        }
        defer { deadline.cancel() }
        let arrival = await withTaskCancellationHandler {
            await hub.arrival(with: token)
        } onCancel: {
            Task { await process.killNow() }
        }
        guard let arrival else {
            await process.killNow()
            throw ExecutorError(exit: await watch.value, tail: process.tail)
        }
        let executor = Executor(
            process: process, arrival: arrival,
            desk: BlobDesk(
                cache: context.cache, scratchDirectory: workspace.scratchDirectory, binary: binary),
            node: context.configuration.name)
        try? arrival.connection.send(
            ChannelMessage(
                .welcome(
                    Welcome(
                        protocolVersion: ChannelClient.protocolVersion,
                        job: workspace.job.id.rawValue, node: context.configuration.name,
                        slots: await context.slots(of: workspace.job.poolName),
                        scratchDirectory: workspace.scratchDirectory))))
        Task { await executor.listen() }
        Task { await executor.ended(await watch.value) }
        return executor
    }

    var isUsable: Bool { exit == nil && !isCancelling }

    /// What the last attempt printed last.
    var lastLines: [String] { process.tail }

    /// Runs one attempt; answers when the process has answered or died, its lines being in the log
    /// and the last of them in `lastLines`.
    ///
    /// - Parameter memoryLimit: what the process and all it starts may take while it runs the task,
    ///   in bytes; nil: as much as there is.
    func run(_ task: TaskRecord, memoryLimit: Int64?) async -> AttemptOutcome {
        if let exit { return crash(exit) }
        process.begin(limitInBytes: memoryLimit)
        process.beginLines(prefix: "(\(task.spec.name) pid=\(pid), node=\(node)) ")
        return await ask(task) { assignment, inputBlob in
            .run(
                assignment: assignment, task: task.spec.name, attempt: task.attempt,
                inputBlob: inputBlob, milliCPUs: task.spec.resources.milliCPUs)
        }
    }

    /// Makes the process an actor; answers when it could not be made or has died.
    ///
    /// - Parameter onTold: called as soon as the process was told; calls may follow from then on.
    func live(
        _ task: TaskRecord, instance: String, memoryLimit: Int64?,
        onTold: @Sendable () -> Void
    ) async -> AttemptOutcome {
        if let exit { return crash(exit) }
        process.begin(limitInBytes: memoryLimit)
        process.beginLines(prefix: "(\(instance) pid=\(pid), node=\(node)) ")
        return await ask(task, onTold: onTold) { assignment, inputBlob in
            .become(
                assignment: assignment, instance: instance, attempt: task.attempt,
                inputBlob: inputBlob, milliCPUs: task.spec.resources.milliCPUs)
        }
    }

    /// Sends a message to the actor that the process is; answers as `run` does, and `released` when
    /// the process was gone before.
    func call(_ task: TaskRecord) async -> AttemptOutcome {
        if exit != nil { return .released }
        let outcome = await ask(task) { assignment, inputBlob in
            .call(
                assignment: assignment, instance: task.spec.name, attempt: task.attempt,
                inputBlob: inputBlob)
        }
        // What ended the process is the actor's death, not the message's own failure.
        guard exit != nil, case .failed(let cause) = outcome, cause == process.memoryUse.cause
        else { return outcome }
        return .crashed(message: cause, exitCode: nil, signal: nil)
    }

    private func ask(
        _ task: TaskRecord, onTold: () -> Void = {},
        _ header: (_ assignment: UInt64, _ inputBlob: String?) -> ChannelMessage.Header
    ) async -> AttemptOutcome {
        if let exit { return crash(exit) }
        let assignment = nextAssignment
        nextAssignment += 1
        let (bytes, blob): ([UInt8], String?) =
            switch task.spec.input {
            case .inline(let bytes): (bytes, nil)
            case .blob(let digest, _): ([], digest)
            }
        let message = ChannelMessage(header(assignment, blob), payload: bytes)
        let outcome = await withCheckedContinuation { continuation in
            waiting[assignment] = continuation
            do {
                try connection.send(message)
                onTold()
            } catch {
                finish(assignment, .crashed(message: "\(error)", exitCode: nil, signal: nil))
            }
        }
        if exit == nil { await process.drain() }
        return outcome
    }

    /// Ends the process in order, at the latest after a second.
    func shutDown() async {
        isCancelling = true
        try? connection.send(ChannelMessage(.shutdown(graceInSeconds: 1)))
        await process.terminate()
    }

    /// Ends the process and everything it started at once: its task was cancelled or lost.
    func killNow() async {
        isCancelling = true
        await process.killNow()
    }

    private func listen() async {
        do {
            for try await message in connection.messages {
                switch message.header {
                case .answered(let assignment, let answer):
                    finish(assignment, outcome(of: answer, payload: message.payload))
                case .blobOffered, .blobWanted:
                    await desk.serve(message.header, on: connection)
                default:
                    continue
                }
            }
            // Usually its end follows at once and gives the attempt its cause.
            try await Task.sleep(for: Executor.partingMax)
        } catch {
            // It speaks no protocol of ours.
        }
        if exit == nil { await process.killNow() }
    }

    private func outcome(of answer: TaskAnswer, payload: [UInt8]) -> AttemptOutcome {
        switch answer {
        case .succeeded(nil): .succeeded(.inline(payload))
        case .succeeded(let digest?): .succeeded(.blob(digest: digest, sizeInBytes: 0))
        case .failed(let message), .lost(let message): .failed(message: message)
        case .cancelled: .cancelled(by: "stop")
        }
    }

    private func ended(_ status: ProcessExit) {
        exit = status
        connection.close()
        for assignment in waiting.keys.sorted() { finish(assignment, crash(status)) }
    }

    private func crash(_ status: ProcessExit) -> AttemptOutcome {
        // It would be so again: only a task that wants its errors retried is tried again.
        if let cause = process.memoryUse.cause { return .failed(message: cause) }
        let text = "the executor (pid \(pid)) ended with \(status)"
        return switch status {
        case .code(let code): .crashed(message: text, exitCode: code, signal: nil)
        case .signal(let number): .crashed(message: text, exitCode: nil, signal: number)
        }
    }

    /// An answer nobody waits for any more changes nothing.
    private func finish(_ assignment: UInt64, _ outcome: AttemptOutcome) {
        waiting.removeValue(forKey: assignment)?.resume(returning: outcome)
    }
}

/// An executor ended before it could be given work.
struct ExecutorError: Error, CustomStringConvertible {
    let exit: ProcessExit
    let tail: [String]

    var description: String {
        "an executor ended with \(exit) before its first task"
            + (tail.isEmpty ? "" : "; its last lines:\n" + tail.joined(separator: "\n"))
    }
}
