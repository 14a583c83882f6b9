import Synchronization

/// The tasks a script declares, by name. Filled while the script's globals are made, closed by
/// `runJob`: driver and executor run the same lines up to there, so both know the same tasks.
struct TaskRegistry: Sendable {
    /// Runs a task on encoded input and answers encoded output.
    typealias Handler = @Sendable (TaskInput, TaskContext) async throws -> [UInt8]

    struct Entry: Sendable {
        var options: TaskOptions
        var handler: Handler
    }

    struct ActorEntry: Sendable {
        var options: TaskOptions
        /// Makes the actor of its encoded arguments.
        var make: @Sendable (TaskInput, TaskContext) async throws -> any ActorBox
    }

    private var entries: [String: Entry] = [:]
    private var actors: [String: ActorEntry] = [:]
    private var duplicates: Set<String> = []
    private var isClosed = false

    static let shared = Mutex(TaskRegistry())

    mutating func register(
        _ name: String, _ options: TaskOptions = TaskOptions(), _ handler: @escaping Handler
    ) {
        guard !isClosed else { return }
        guard entries[name] == nil else {
            duplicates.insert(name)
            return
        }
        entries[name] = Entry(options: options, handler: handler)
    }

    mutating func register(actor name: String, _ entry: ActorEntry) {
        guard !isClosed else { return }
        guard actors[name] == nil else {
            duplicates.insert(name)
            return
        }
        actors[name] = entry
    }

    /// - Throws: `JobError.duplicateTasks`.
    mutating func close() throws {
        isClosed = true
        guard duplicates.isEmpty else { throw JobError.duplicateTasks(duplicates.sorted()) }
    }

    /// In alphabetical order.
    var names: [String] { entries.keys.sorted() }

    /// - Throws: `JobError.taskNotDeclared`.
    func entry(named name: String) throws -> Entry {
        guard let entry = entries[name] else { throw JobError.taskNotDeclared(task: name) }
        return entry
    }

    /// - Throws: `JobError.taskNotDeclared`.
    func entry(ofActor name: String) throws -> ActorEntry {
        guard let entry = actors[name] else { throw JobError.taskNotDeclared(task: name) }
        return entry
    }
}
