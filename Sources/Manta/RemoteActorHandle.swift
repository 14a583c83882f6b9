import Foundation
import JobChannel
import Synchronization

/// A driver's hold on one actor that was started: asks it, and ends it.
///
/// Calls are acted on one at a time, in the order of the calls of `ask`. The actor lives, and holds
/// its resources, until `stop`, until nobody holds the handle any more, or until its job ends.
public final class RemoteActorHandle<Subject: RemoteActor>: Sendable {
    /// The kind's name and the actor's number in its job: "counter/0".
    public let name: String
    private let kind: RemoteActorKind<Subject>
    private let runner: any TaskRunner
    private let life: Task<Data, any Error>
    /// One call travels at a time; who waits enters in the order of arrival.
    private let turn = SlotGate(1)

    private struct Mailbox {
        var waitingCount = 0
        var sentCount = 0
        var isStopped = false
        /// Why the actor was never asked for; then the cluster knows nothing to say of it.
        var refusal: String?
        /// The call that travels.
        var current: Task<Data, any Error>?
    }
    private let mailbox = Mutex(Mailbox())

    init(
        _ kind: RemoteActorKind<Subject>, name: String, runner: any TaskRunner,
        life: Task<Data, any Error>
    ) {
        self.kind = kind
        self.name = name
        self.runner = runner
        self.life = life
        Task { [weak self] in
            if case .failure(let error) = await life.result { self?.ends(with: error) }
        }
    }

    deinit {
        life.cancel()
    }

    /// Sends a message and waits for the reply.
    ///
    /// A caller that is cancelled while it waits for its turn has sent nothing; afterwards the
    /// reply is waited for, because a message that was sent cannot be taken back.
    /// - Throws: `ActorError`, `JobError.unusableValue`, or `CancellationError`.
    public func ask(_ message: Subject.Message) async throws -> Subject.Reply {
        try enter()
        defer { mailbox.withLock { $0.waitingCount -= 1 } }
        try await turn.enter()
        // Not cancelled with the caller: the next message must find this one answered.
        let delivery = Task {
            defer { self.turn.leave() }
            return try await self.send(message)
        }
        return try await delivery.value
    }

    /// Calls that wait, the one that travels among them.
    var pendingCount: Int { mailbox.withLock { $0.waitingCount } }

    /// Ends the actor and all that it started. Calls that wait, and later ones, fail.
    public func stop() async {
        let current = mailbox.withLock { mailbox in
            mailbox.isStopped = true
            return mailbox.current
        }
        life.cancel()
        current?.cancel()
        _ = await life.result
    }

    /// What ends an actor the cluster tells the calls too, except where it never heard of it.
    private func ends(with error: any Error) {
        switch error as? JobError {
        case .taskFailed, .taskLost, .taskCancelled: return
        default: break
        }
        let current = mailbox.withLock { mailbox in
            mailbox.refusal = JobError.message(of: error)
            return mailbox.current
        }
        current?.cancel()
    }

    private func enter() throws {
        try mailbox.withLock { mailbox in
            if mailbox.isStopped { throw ActorError.stopped(actor: name) }
            guard mailbox.waitingCount < kind.pendingCallsMax else {
                throw ActorError.mailboxFull(actor: name, limit: kind.pendingCallsMax)
            }
            mailbox.waitingCount += 1
        }
    }

    private func send(_ message: Subject.Message) async throws -> Subject.Reply {
        let subject = "a message to actor \"\(name)\""
        let bytes = try await runner.encode(message, subject: subject)
        let sent = try mailbox.withLock { mailbox in
            if let end = end(of: mailbox) { throw end }
            let sent = makeCall(number: mailbox.sentCount, bytes)
            mailbox.sentCount += 1
            mailbox.current = sent
            return sent
        }
        defer { mailbox.withLock { $0.current = nil } }
        do {
            let reply = try await sent.value
            return try await TaskInput(bytes: reply, blobs: runner).decode(
                Subject.Reply.self, taskName: name)
        } catch {
            throw wording(of: error)
        }
    }

    private func makeCall(number: Int, _ bytes: [UInt8]) -> Task<Data, any Error> {
        var options = TaskOptions(milliCPUs: 0)
        options.attemptsMax = kind.callRetries + 1
        // Its number makes each call one of its own, for a restarted driver too.
        var call = TaskCall(name: name, input: bytes, occurrence: number, options: options)
        call.actor = .call(instance: name)
        return Task { [runner, call] in try await runner.run(call) }
    }

    /// Why no message reaches it any more; nil while one may.
    private func end(of mailbox: Mailbox) -> ActorError? {
        if mailbox.isStopped { return .stopped(actor: name) }
        return mailbox.refusal.map { .died(actor: name, cause: $0) }
    }

    private func wording(of error: any Error) -> any Error {
        if let end = mailbox.withLock({ end(of: $0) }) { return end }
        switch error as? JobError {
        case .taskFailed(_, let message): return ActorError.failed(actor: name, message: message)
        case .taskLost(_, let message): return ActorError.died(actor: name, cause: message)
        case .taskCancelled:
            return ActorError.died(actor: name, cause: "it was stopped, or its job is")
        default: return error
        }
    }
}

extension Cluster {
    /// Starts an actor wherever its resources are free, and answers at once: the first call waits
    /// until it lives.
    ///
    /// Actors of one kind are numbered in the order in which they are started. A restarted driver
    /// that starts the same ones in the same order, and asks them the same things, finds them, and
    /// the answers that it had.
    /// - Throws: `JobError.taskNotDeclared`, `.unusableValue`.
    public func start<Subject>(
        _ kind: RemoteActorKind<Subject>, with arguments: Subject.Arguments
    ) async throws -> RemoteActorHandle<Subject> {
        _ = try TaskRegistry.shared.withLock { try $0.entry(ofActor: kind.name) }
        let bytes = try await runner.encode(
            arguments, subject: "the arguments of actor \"\(kind.name)\"")
        let name = "\(kind.name)/\(nextNumber(ofActor: kind.name))"
        var call = TaskCall(name: name, input: bytes, occurrence: 0, options: kind.options)
        call.actor = .life(instance: name)
        let life = Task { [runner, call] in try await runner.run(call) }
        return RemoteActorHandle(kind, name: name, runner: runner, life: life)
    }

    /// As above, for an actor that is made of nothing.
    public func start<Subject>(
        _ kind: RemoteActorKind<Subject>
    ) async throws -> RemoteActorHandle<Subject> where Subject.Arguments == NoArguments {
        try await start(kind, with: NoArguments())
    }
}

/// The arguments of an actor that needs none.
public struct NoArguments: Codable, Sendable, Hashable {
    /// There is only this value.
    public init() {}
}
