import JobChannel
import Synchronization

/// A function that runs in other processes of the cluster, wherever CPU slots are free.
///
/// Declare it at the top level of the script, above `runJob`. Input and output travel as JSON; over
/// 64 KiB they are kept as blobs. A task whose process dies is run again (`attempts`); a task that
/// throws fails the call, unless `retriesErrors` says otherwise. The same input, asked for again
/// by a restarted driver, is answered from the store.
public struct RemoteTask<Input: Codable & Sendable, Output: Codable & Sendable>: Sendable {
    /// Shown in logs: "(score pid=503, node=worker-1)".
    public let name: String
    var options: TaskOptions

    /// Declares and registers a task.
    ///
    /// - Parameters:
    ///   - name: unique within the script.
    ///   - cpus: CPU slots one call takes, 0.001 to 1024.
    ///   - memoryInBytes: what one call may need; 0 when it is little.
    ///   - attempts: how often a call is started at most, the first time included.
    ///   - retriesErrors: whether an error that the body throws is worth another attempt.
    ///   - body: what runs. It sees its arguments only: no variables of the driver.
    public init(
        _ name: String, cpus: Double = 1, memoryInBytes: Int64 = 0, attempts: Int = 4,
        retriesErrors: Bool = false,
        _ body: @escaping @Sendable (Input, TaskContext) async throws -> Output
    ) {
        precondition(!name.isEmpty && name.utf8.count <= 128, "a task's name has 1 to 128 bytes")
        precondition((0.001...1_024).contains(cpus), "cpus must be in 0.001...1024")
        precondition((1...100).contains(attempts), "attempts must be in 1...100")
        precondition(memoryInBytes >= 0, "memoryInBytes must not be negative")
        self.name = name
        let options = TaskOptions(
            milliCPUs: Int((cpus * 1_000).rounded()), memoryInBytes: memoryInBytes,
            attemptsMax: attempts, retriesErrors: retriesErrors)
        self.options = options
        TaskRegistry.shared.withLock {
            $0.register(name, options) { input, context in
                let value = try await input.decode(Input.self, taskName: name)
                let output = try await body(value, context)
                return try await context.encode(output, taskName: name)
            }
        }
    }
}

/// How the calls of a task are placed and tried.
struct TaskOptions: Sendable, Hashable {
    var milliCPUs = 1_000
    /// More than `milliCPUs` for calls that can use more: they get what the emptiest worker has.
    var milliCPUsMax: Int?
    var memoryInBytes: Int64 = 0
    var gpus = 0
    /// In thousandths.
    var resources: [String: Int] = [:]
    var attemptsMax = 4
    var retriesErrors = false
    /// Milliseconds; nil: the cluster's.
    var retryDelay: Int64?
    var limits = TaskRequest.TimeLimits()
    var priority = 0

    /// Whole CPUs that one call may keep busy.
    var threads: Int { max(1, milliCPUs / 1_000) }
}

/// What a running task knows of its surroundings.
public struct TaskContext: Sendable {
    /// The task's registered name.
    public let taskName: String
    /// 1 for the first attempt.
    public let attempt: Int
    /// The job's submission id; "alone" outside a cluster.
    public let jobID: String
    /// The worker's name, as in the log lines.
    public let node: String
    /// CPU threads the task may use.
    public let threads: Int
    let blobs: any BlobAccess

    /// The bytes of a blob that `Cluster.put` stored.
    public func bytes(of reference: BlobReference) async throws -> [UInt8] {
        Array(try await blobs.load(reference.digest))
    }

    /// The value that `Cluster.put(value:)` stored.
    public func value<Value: Decodable & Sendable>(
        _ type: Value.Type, of reference: BlobReference
    ) async throws -> Value {
        let input = TaskInput(bytes: try await blobs.load(reference.digest), blobs: blobs)
        return try await input.decode(type, taskName: taskName)
    }

    /// Encodes a result; data sets inside are stored as blobs first.
    func encode(_ value: some Encodable, taskName: String) async throws -> [UInt8] {
        try await blobs.encode(value, subject: "the result of task \"\(taskName)\"")
    }
}
