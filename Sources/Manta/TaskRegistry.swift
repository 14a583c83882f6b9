import Synchronization

/// The tasks a script declares, by name. Filled while the script's globals are made, closed by
/// `runJob`: driver and executor run the same lines up to there, so both know the same tasks.
struct TaskRegistry: Sendable {
    /// Runs a task on encoded input and answers encoded output.
    typealias Handler = @Sendable (TaskInput, TaskContext) async throws -> [UInt8]

    private var handlers: [String: Handler] = [:]
    private var duplicates: Set<String> = []
    private var isClosed = false

    static let shared = Mutex(TaskRegistry())

    mutating func register(_ name: String, _ handler: @escaping Handler) {
        guard !isClosed else { return }
        guard handlers[name] == nil else {
            duplicates.insert(name)
            return
        }
        handlers[name] = handler
    }

    /// - Throws: `JobError.duplicateTasks`.
    mutating func close() throws {
        isClosed = true
        guard duplicates.isEmpty else { throw JobError.duplicateTasks(duplicates.sorted()) }
    }

    /// In alphabetical order.
    var names: [String] { handlers.keys.sorted() }

    func handler(of name: String) throws -> Handler {
        guard let handler = handlers[name] else { throw JobError.taskNotDeclared(task: name) }
        return handler
    }
}
