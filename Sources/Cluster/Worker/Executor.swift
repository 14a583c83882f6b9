import Foundation
import JobChannel
import Jobs
import Processes

/// One executor process: runs one task at a time and stays warm for its job.
actor Executor {
    private let process: JobProcess
    private let connection: ChannelConnection
    private let pid: Int32
    private let desk: BlobDesk
    private let node: String
    private var nextAssignment: UInt64 = 1
    private var current: (assignment: UInt64, answer: CheckedContinuation<AttemptOutcome, Never>)?
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
            desk: BlobDesk(cache: context.cache, scratchDirectory: workspace.scratchDirectory),
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
        let assignment = nextAssignment
        nextAssignment += 1
        process.beginLines(prefix: "(\(task.spec.name) pid=\(pid), node=\(node)) ")
        let outcome = await withCheckedContinuation { continuation in
            current = (assignment, continuation)
            do {
                try connection.send(message(assignment, task))
            } catch {
                finish(.crashed(message: "\(error)", exitCode: nil, signal: nil))
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

    private func message(_ assignment: UInt64, _ task: TaskRecord) -> ChannelMessage {
        let (bytes, blob): ([UInt8], String?) =
            switch task.spec.input {
            case .inline(let bytes): (bytes, nil)
            case .blob(let digest, _): ([], digest)
            }
        return ChannelMessage(
            .run(
                assignment: assignment, task: task.spec.name, attempt: task.attempt,
                inputBlob: blob, milliCPUs: task.spec.resources.milliCPUs),
            payload: bytes)
    }

    private func listen() async {
        do {
            for try await message in connection.messages {
                switch message.header {
                case .answered(let assignment, let answer):
                    guard current?.assignment == assignment else { continue }
                    finish(outcome(of: answer, payload: message.payload))
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
        finish(crash(status))
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

    private func finish(_ outcome: AttemptOutcome) {
        current?.answer.resume(returning: outcome)
        current = nil
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
