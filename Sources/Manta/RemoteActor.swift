import Synchronization

/// Something that lives in a process of its own, keeps its state between calls, and answers one
/// message after the other.
///
/// A struct, or an actor. Its state is what `init` made and what the messages changed; when its
/// process dies, the state is gone, and a restarted one begins with `init` again. What must outlive
/// that belongs into a blob or a file that `init` reads.
///
///     struct Counter: RemoteActor {
///         var sum: Int
///         init(_ start: Int, context: TaskContext) { sum = start }
///         mutating func receive(_ amount: Int) -> Int {
///             sum += amount
///             return sum
///         }
///     }
public protocol RemoteActor: Sendable {
    /// What it is made of; travels as JSON, as messages and replies do.
    associatedtype Arguments: Codable & Sendable
    associatedtype Message: Codable & Sendable
    associatedtype Reply: Codable & Sendable

    /// Makes it in its process. An error ends the actor: it is not tried again.
    init(_ arguments: Arguments, context: TaskContext) async throws

    /// Answers one message. An error reaches the one who asked; what was changed before it was
    /// thrown stays changed, and the actor lives on.
    mutating func receive(_ message: Message) async throws -> Reply
}

/// A kind of actor that a script's executors can be: declared at the top level, above `runJob`,
/// like a `RemoteTask`, and started with `Cluster.start(_:with:)`.
public struct RemoteActorKind<Subject: RemoteActor>: Sendable {
    /// Shown in logs with the actor's number: "(counter/0 pid=503, node=worker-1)".
    public let name: String
    let options: TaskOptions
    let callRetries: Int
    let pendingCallsMax: Int

    /// Declares and registers a kind of actor.
    ///
    /// - Parameters:
    ///   - name: unique among the script's kinds of actors; 1 to 100 bytes.
    ///   - cpus: CPU slots one actor holds for as long as it lives, 0 to 1024.
    ///   - memoryInBytes: what one actor may need; 0 when it is little.
    ///   - restarts: how often a dead actor begins anew, 0 to 99.
    ///   - callRetries: how often a call that an actor's death interrupted is sent again to the one
    ///     that follows, 0 to 99. It may then be acted on twice.
    ///   - pendingCallsMax: calls that wait for their turn; with more `ask` throws
    ///     `ActorError.mailboxFull`.
    public init(
        _ name: String, _ subject: Subject.Type, cpus: Double = 1, memoryInBytes: Int64 = 0,
        restarts: Int = 0, callRetries: Int = 0, pendingCallsMax: Int = 1_000
    ) {
        precondition((1...100).contains(name.utf8.count), "an actor's name has 1 to 100 bytes")
        precondition((0...1_024).contains(cpus), "cpus must be in 0...1024")
        precondition((0...99).contains(restarts), "restarts must be in 0...99")
        precondition((0...99).contains(callRetries), "callRetries must be in 0...99")
        precondition(memoryInBytes >= 0, "memoryInBytes must not be negative")
        precondition(pendingCallsMax > 0, "pendingCallsMax must be positive")
        self.name = name
        self.callRetries = callRetries
        self.pendingCallsMax = pendingCallsMax
        options = TaskOptions(
            milliCPUs: Int((cpus * 1_000).rounded()), memoryInBytes: memoryInBytes,
            attemptsMax: restarts + 1)
        let entry = TaskRegistry.ActorEntry(options: options) { input, context in
            let arguments = try await input.decode(Subject.Arguments.self, taskName: name)
            let value = try await Subject(arguments, context: context)
            return ActorHome(value, name: name)
        }
        TaskRegistry.shared.withLock { $0.register(actor: name, entry) }
    }
}

/// Why an actor did not answer.
public enum ActorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its `receive` threw; the actor lives on.
    case failed(actor: String, message: String)
    /// It died, or its worker was lost, before it answered, and the call is not sent again; or it
    /// is dead for good. Whether the message was acted on is unknown.
    case died(actor: String, cause: String)
    /// So many calls wait already. Nothing was sent.
    case mailboxFull(actor: String, limit: Int)
    /// A `stop` ended it.
    case stopped(actor: String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .failed(let actor, let message): "actor \"\(actor)\" answered: \(message)"
        case .died(let actor, let cause): "actor \"\(actor)\" died: \(cause)"
        case .mailboxFull(let actor, let limit):
            "actor \"\(actor)\" has \(limit) calls waiting already; ask later, or declare it "
                + "with a larger pendingCallsMax"
        case .stopped(let actor): "actor \"\(actor)\" was stopped"
        }
    }
}
