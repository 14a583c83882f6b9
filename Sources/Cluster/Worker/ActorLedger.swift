import Jobs

/// What a driver's session knows of its actors: a value without clock or store.
///
/// A call waits in the store for the worker that is its actor's home. When the actor's life is over
/// for good there will be none, so whoever waits must be told: calls that wait at that moment, and
/// each one that comes later and was not answered before (a restarted driver asks for answers that
/// it already had).
struct ActorLedger: Sendable {
    private var living: Set<String> = []
    private var waiting: [String: Set<TaskID>] = [:]
    private var ended: [String: String] = [:]

    /// Actors of one job that live, or wait to, at one time: calls of each wait in a queue of their
    /// own, and queues are few (`StoreLimits.shapesMax`).
    static let livingMax = 64

    /// The driver asks for a task.
    ///
    /// - Returns: why it cannot have it; nil when it may.
    mutating func refusal(of task: NewTask) -> String? {
        guard case .life(let instance)? = ActorTask(task), !living.contains(instance) else {
            return nil
        }
        guard living.count < ActorLedger.livingMax else {
            return "a job has at most \(ActorLedger.livingMax) actors at one time"
        }
        living.insert(instance)
        return nil
    }

    /// A call that is not answered yet.
    ///
    /// - Returns: why it never will be; nil when it may.
    mutating func waits(_ call: TaskID, for instance: String) -> String? {
        if let cause = ended[instance] { return cause }
        waiting[instance, default: []].insert(call)
        return nil
    }

    /// A call that somebody answered, or that nobody waits for any more.
    mutating func isOver(_ call: TaskID, of instance: String) {
        waiting[instance]?.remove(call)
    }

    /// The actor is dead for good. The first cause stands.
    ///
    /// - Returns: the calls that wait for it, in a fixed order.
    mutating func ends(_ instance: String, because cause: String) -> [TaskID] {
        living.remove(instance)
        if ended[instance] == nil { ended[instance] = cause }
        return (waiting.removeValue(forKey: instance) ?? []).sorted { $0.rawValue < $1.rawValue }
    }

    /// Why an actor is dead; nil while it may live.
    func cause(of instance: String) -> String? { ended[instance] }
}

extension TaskState {
    /// Why an actor whose life stands so is dead, for whoever waits for its answer.
    var endOfActor: String {
        switch self {
        case .failed(let failure): failure.message
        case .cancelled(let whom): "it was stopped by \(whom)"
        case .succeeded, .waiting, .running: "it ended"
        }
    }
}
