/// What a worker and its job's processes say to each other, over one Unix socket per process.
///
/// Each message is one frame: see `Frame`. `payload` carries task inputs and results; everything
/// else is in the header. Blobs never travel here: they are handed over as files (`blobOffered`,
/// `blobReady`).
package struct ChannelMessage: Sendable, Hashable {
    package var header: Header
    package var payload: [UInt8]

    package init(_ header: Header, payload: [UInt8] = []) {
        self.header = header
        self.payload = payload
    }

    package enum Header: Sendable, Hashable, Codable {
        // MARK: Process to worker

        /// The first frame. `token` is the one the worker put into the process's environment.
        case hello(protocolVersion: Int, role: ProcessRole, pid: Int32, token: String)
        /// Driver: wants this task done; `payload` is its input. Answered by `completed` with the
        /// same `request`, at once when the job already did it (memoised).
        case enqueue(request: UInt64, TaskRequest)
        /// Driver: no longer interested in the answer of `request`.
        case abandon(request: UInt64)
        /// Executor: the end of the assignment; on success `payload` is the result.
        case answered(assignment: UInt64, TaskAnswer)
        /// Either: a file at `path` inside the scratch folder holds a blob with this digest. The
        /// worker verifies, stores and takes the file; answered by `blobReady` or `refused`.
        case blobOffered(request: UInt64, digest: String, path: String)
        /// Either: wants a blob as a read-only file; answered by `blobReady` or `refused`.
        case blobWanted(request: UInt64, digest: String)
        /// Driver: the job's result (JSON in `payload`), sent once, before the process ends.
        case result

        // MARK: Worker to process

        /// Answers `hello`.
        case welcome(Welcome)
        /// Executor: run this task on `payload`, or on the blob `inputBlob` names (ask with
        /// `blobWanted`). `milliCPUs` is what the attempt was granted.
        case run(
            assignment: UInt64, task: String, attempt: Int, inputBlob: String?,
            milliCPUs: Int? = nil)
        /// Executor: be this actor from now on, made of `payload` or `inputBlob`. Answered when it
        /// cannot be made, else not at all.
        case become(
            assignment: UInt64, instance: String, attempt: Int, inputBlob: String?,
            milliCPUs: Int)
        /// Executor: a message to the actor that it is; one is answered before the next is sent.
        case call(assignment: UInt64, instance: String, attempt: Int, inputBlob: String?)
        /// Executor: stop working on the assignment as soon as convenient.
        case cancel(assignment: UInt64)
        /// Driver: how an enqueued task ended; on success `payload` is the result, unless `blob`
        /// names it.
        case completed(request: UInt64, TaskAnswer)
        case blobReady(request: UInt64, path: String)
        case refused(request: UInt64, reason: String)
        /// The number of CPU slots of the cluster changed.
        case slots(Int)
        /// End in order; the process has `graceInSeconds`.
        case shutdown(graceInSeconds: Int)
    }
}

package enum ProcessRole: String, Sendable, Hashable, Codable {
    case driver, executor
}

package struct TaskRequest: Sendable, Hashable, Codable {
    /// The registered task's name.
    package var name: String
    /// 0 for the first time this driver asks for (name, input), 1 for the second, …
    package var occurrence: Int
    package var milliCPUs: Int
    /// More than `milliCPUs` where the task can use more: it gets what the emptiest worker has, up
    /// to this.
    package var milliCPUsMax: Int?
    package var memoryInBytes: Int64
    package var attemptsMax: Int
    package var retriesErrors: Bool
    /// Set when the input is a blob (then the frame has no payload).
    package var inputBlob: String?
    package var gpus: Int?
    /// Whatever else its worker must have free, by name, in thousandths.
    package var customResources: [String: Int]?
    /// Milliseconds before the second attempt; doubles from there.
    package var retryDelay: Int64?
    package var limits: TimeLimits?
    /// Higher first, among the tasks of all jobs.
    package var priority: Int?

    /// What bounds the time of a task, in milliseconds; nil: nothing does.
    package struct TimeLimits: Sendable, Hashable, Codable {
        package var scheduleToStart: Int64?
        package var startToClose: Int64?
        package var scheduleToClose: Int64?
        package var heartbeat: Int64?

        package init(
            scheduleToStart: Int64? = nil, startToClose: Int64? = nil,
            scheduleToClose: Int64? = nil, heartbeat: Int64? = nil
        ) {
            self.scheduleToStart = scheduleToStart
            self.startToClose = startToClose
            self.scheduleToClose = scheduleToClose
            self.heartbeat = heartbeat
        }
    }
    /// Set for what belongs to an actor.
    package var actor: ActorRole?

    package init(
        name: String, occurrence: Int, milliCPUs: Int = 1_000, milliCPUsMax: Int? = nil,
        memoryInBytes: Int64 = 0, attemptsMax: Int = 4, retriesErrors: Bool = false,
        inputBlob: String? = nil
    ) {
        self.name = name
        self.occurrence = occurrence
        self.milliCPUs = milliCPUs
        self.milliCPUsMax = milliCPUsMax
        self.memoryInBytes = memoryInBytes
        self.attemptsMax = attemptsMax
        self.retriesErrors = retriesErrors
        self.inputBlob = inputBlob
    }
}

/// What a task is to an actor. `instance` is "NAME/NUMBER": its kind's name, and its number among
/// the job's actors of that kind.
package enum ActorRole: Sendable, Hashable, Codable {
    /// The actor itself: the task runs as long as it lives.
    case life(instance: String)
    /// One message to it.
    case call(instance: String)

    /// The name under which a kind of actor is registered.
    package static func kind(ofInstance instance: String) -> String {
        guard let slash = instance.lastIndex(of: "/") else { return instance }
        return String(instance[..<slash])
    }
}

package enum TaskAnswer: Sendable, Hashable, Codable {
    /// The result is the frame's payload, or the blob of this digest.
    case succeeded(blob: String?)
    /// The task's code threw; `message` names the error.
    case failed(message: String)
    /// Crashed, lost or out of time on every attempt.
    case lost(message: String)
    case cancelled
}

package struct Welcome: Sendable, Hashable, Codable {
    package var protocolVersion: Int
    package var job: String
    /// "worker-1", shown in logs.
    package var node: String
    /// CPU slots of the whole cluster.
    package var slots: Int
    /// Where offered blobs are written before they are handed over.
    package var scratchDirectory: String

    package init(
        protocolVersion: Int, job: String, node: String, slots: Int, scratchDirectory: String
    ) {
        self.protocolVersion = protocolVersion
        self.job = job
        self.node = node
        self.slots = slots
        self.scratchDirectory = scratchDirectory
    }
}
