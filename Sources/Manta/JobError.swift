/// Why a job, or one of its tasks, cannot go on. Its description is what `job submit` shows.
public enum JobError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The task's own code threw on its last attempt; `message` is what it threw.
    case taskFailed(task: String, message: String)
    /// Every attempt's process crashed, was lost or ran out of time.
    case taskLost(task: String, message: String)
    /// Someone stopped the task or its job.
    case taskCancelled(task: String)
    /// The task was made inside `runJob`, where executors never come by.
    case taskNotDeclared(task: String)
    /// Two tasks share these names.
    case duplicateTasks([String])
    /// A value cannot be sent to a task, or what came back cannot be read.
    case unusableValue(subject: String, reason: String)
    /// A blob could not be stored or fetched.
    case blobRefused(digest: String, reason: String)
    /// The worker this process belongs to is gone.
    case workerLost(reason: String)
    /// The environment or the data this job was given does not do.
    case unusableInput(subject: String, reason: String)

    /// One sentence for people, with the next step where there is one.
    public var description: String {
        switch self {
        case .taskFailed(let task, let message): "task \"\(task)\" failed: \(message)"
        case .taskLost(let task, let message): "task \"\(task)\" was lost: \(message)"
        case .taskCancelled(let task): "task \"\(task)\" was cancelled"
        case .taskNotDeclared(let task):
            "task \"\(task)\" was made after runJob began; executors know only the tasks that "
                + "stand above runJob: move it to the top level of the script, or, in another "
                + "file of a package, name it before runJob"
        case .duplicateTasks(let names):
            "two tasks share the name \(names.map { "\"\($0)\"" }.joined(separator: ", ")); "
                + "give each RemoteTask a name of its own"
        case .unusableValue(let subject, let reason): "\(subject): \(reason)"
        case .blobRefused(let digest, let reason): "blob \(digest.prefix(12)): \(reason)"
        case .workerLost(let reason): "the worker is gone: \(reason)"
        case .unusableInput(let subject, let reason): "\(subject): \(reason)"
        }
    }

    /// What is shown of any error: never longer than fits into a frame's header.
    static func message(of error: any Error) -> String {
        let text = String(describing: error)
        let limit = 16 << 10
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self) + " … (cut)"
    }
}
