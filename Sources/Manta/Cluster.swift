import Foundation
import Synchronization

/// The driver's handle on everything that can compute for it: the workers of a cluster, or this
/// process alone.
public final class Cluster: Sendable {
    let runner: any TaskRunner
    let environment: DriverEnvironment
    private let occurrences = Mutex<[OccurrenceKey: Int]>([:])

    private struct OccurrenceKey: Hashable {
        var name: String
        var digest: String
    }

    /// A JSON result is at most this long; larger things belong into a run's artifacts.
    static let resultMax = 1 << 20

    init(_ runner: any TaskRunner, _ environment: DriverEnvironment) {
        self.runner = runner
        self.environment = environment
    }

    /// The job's submission id; "alone" outside a cluster.
    public var jobID: String { runner.jobID }

    /// CPU slots that could work for this job now. Changes when workers come and go.
    public var slots: Int { runner.slots }

    /// Runs the task once and waits for its result.
    ///
    /// - Throws: `JobError.taskFailed` with what the task threw, `.taskLost`, `.unusableValue`.
    public func run<Input, Output>(
        _ task: RemoteTask<Input, Output>, _ input: Input
    ) async throws -> Output {
        try await finish(task, try await prepare(task, input))
    }

    /// As `run`, for tasks that are functions of their input alone: equal calls are one, however
    /// often and by whom in this job they are made.
    func runOnce<Input, Output>(
        _ task: RemoteTask<Input, Output>, _ input: Input
    ) async throws -> Output {
        let bytes = try await encode(input, for: task)
        return try await finish(
            task, TaskCall(name: task.name, input: bytes, occurrence: 0, options: task.options))
    }

    /// Keeps the bytes where every task can read them, under their SHA-256.
    public func put(_ bytes: [UInt8]) async throws -> BlobReference {
        try await runner.put(Data(bytes))
    }

    /// Keeps a value where every task can read it; see `TaskContext.value(_:of:)`.
    public func put(value: some Encodable) async throws -> BlobReference {
        let bytes = try await runner.encode(value, subject: "a value for Cluster.put")
        return try await runner.put(Data(bytes))
    }

    /// The job's result, shown by `job result ID`. The last call counts.
    public func setResult(_ value: some Encodable) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = try encoder.encode(value)
        guard json.count <= Self.resultMax else {
            throw JobError.unusableValue(
                subject: "the job's result",
                reason: "it has \(json.count) bytes of at most \(Self.resultMax); "
                    + "log it as an artifact instead")
        }
        result.withLock { $0 = json }
    }

    private let actorCounts = Mutex<[String: Int]>([:])

    /// The number of the next actor of a kind, from 0.
    func nextNumber(ofActor kind: String) -> Int {
        actorCounts.withLock { counts in
            defer { counts[kind, default: 0] += 1 }
            return counts[kind, default: 0]
        }
    }

    private let result = Mutex<Data?>(nil)

    /// Hands the result over; once, when the job's closure has returned.
    func deliverResult() async throws {
        guard let json = result.withLock({ $0 }) else { return }
        try await runner.keep(result: json)
    }

    // MARK: Calls

    /// Encodes the input and gives the call its number. Calls of equal (name, input) must be
    /// prepared in a fixed order, so that a restarted driver finds each one's own result.
    func prepare<Input, Output>(
        _ task: RemoteTask<Input, Output>, _ input: Input
    ) async throws -> TaskCall {
        let bytes = try await encode(input, for: task)
        let key = OccurrenceKey(
            name: task.name, digest: BlobReference(of: Data(bytes)).digest)
        let occurrence = occurrences.withLock { counts in
            defer { counts[key, default: 0] += 1 }
            return counts[key, default: 0]
        }
        return TaskCall(
            name: task.name, input: bytes, occurrence: occurrence, options: task.options)
    }

    private func encode<Input, Output>(
        _ input: Input, for task: RemoteTask<Input, Output>
    ) async throws -> [UInt8] {
        _ = try TaskRegistry.shared.withLock { try $0.entry(named: task.name) }
        return try await runner.encode(
            input, subject: "the input of task \"\(task.name)\"")
    }

    func finish<Input, Output>(
        _ task: RemoteTask<Input, Output>, _ call: TaskCall
    ) async throws -> Output {
        let bytes = try await runner.run(call)
        return try await TaskInput(bytes: bytes, blobs: runner).decode(
            Output.self, taskName: task.name)
    }
}
