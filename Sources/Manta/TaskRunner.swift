import Foundation
import JobChannel

/// One call of a task, encoded.
struct TaskCall: Sendable {
    var name: String
    var input: [UInt8]
    /// 0 for the first time this job asks for (name, input), 1 for the second, …
    var occurrence: Int
    var options: TaskOptions
    /// Set for what belongs to an actor; `name` is then the actor's.
    var actor: ActorRole?

    /// Inputs and results up to this size travel in the frame; larger ones as blobs.
    static let inlineMax = 64 << 10
}

/// Where a driver's calls go: to the worker, or to the process itself when it is alone.
protocol TaskRunner: BlobAccess {
    /// The job's submission id.
    var jobID: String { get }
    /// CPU slots that could work for this job now. Changes when workers come and go.
    var slots: Int { get }

    /// CPU threads of this process, where its tasks run in itself; nil where they run elsewhere.
    var ownThreads: Int? { get }

    /// Runs the call to its end and answers the encoded output. Cancelling the caller's task gives
    /// the call up.
    ///
    /// - Throws: `JobError`.
    func run(_ call: TaskCall) async throws -> Data

    /// Keeps the job's result, a JSON object.
    func keep(result: Data) async throws
}
