internal import Crypto
import Foundation

/// How actors stand among a job's tasks: one task for the actor's life, whose lease is held and
/// whose resources are taken for as long as it lives, and one for each call.
///
/// A life may run where workers know actors (the label `actors`). A call may run only on the worker
/// that has the actor: it needs the label that this worker offers while it does.
package enum ActorTask: Hashable, Sendable {
    case life(instance: String)
    case call(instance: String)

    /// The label of workers that can be home to actors.
    package static let label = "actors"
    private static let lifePrefix = "actor "
    private static let homePrefix = "actor:"

    /// Nil for any other task.
    package init?(_ task: NewTask) {
        guard task.kind == .task else { return nil }
        if task.labels.contains(ActorTask.label), task.name.hasPrefix(ActorTask.lifePrefix) {
            self = .life(instance: String(task.name.dropFirst(ActorTask.lifePrefix.count)))
        } else if task.labels.contains(where: { $0.hasPrefix(ActorTask.homePrefix) }) {
            self = .call(instance: task.name)
        } else {
            return nil
        }
    }

    package var instance: String {
        switch self {
        case .life(let instance), .call(let instance): instance
        }
    }

    /// What the task is called in the store and in lists.
    package var taskName: String {
        switch self {
        case .life(let instance): ActorTask.lifePrefix + instance
        case .call(let instance): instance
        }
    }

    /// What stands for the input in the task's id: another text than for a task that happens to
    /// have an actor's name.
    ///
    /// - Parameter inputDigest: lower-case hex SHA-256 of the input, as is the answer.
    package func digest(of inputDigest: String) -> String {
        switch self {
        case .life: ActorTask.hex(of: "life \(inputDigest)")
        case .call: ActorTask.hex(of: "call \(inputDigest)")
        }
    }

    /// What its worker must have besides a toolchain.
    package func label(of job: JobID) -> String {
        switch self {
        case .life: ActorTask.label
        case .call(let instance): ActorTask.homeLabel(of: instance, job)
        }
    }

    /// What a worker offers while it is the home of that actor: a digest, because a job's and an
    /// actor's name together may be longer than a label.
    package static func homeLabel(of instance: String, _ job: JobID) -> String {
        homePrefix + hex(of: "\(job)/\(instance)").prefix(32)
    }

    private static func hex(of text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}
