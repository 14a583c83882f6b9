/// Which endings of an attempt are tried again, and how soon.
package struct RetryPolicy: Hashable, Sendable, Codable {
    /// All attempts counted, the first one included.
    package var attemptsMax: Int
    /// Whether an error thrown by the task's own code is worth another attempt.
    package var retriesErrors: Bool
    /// Whether a crash (signal, non-zero exit) of the process is worth another attempt.
    package var retriesCrashes: Bool
    /// The delay before attempt n+1 is `delayInMilliseconds` · 2^(n-1), at most 30 s, less up to
    /// a half by chance (`delay(afterAttempt:of:)`).
    package var delayInMilliseconds: Int64

    /// Ray's defaults for tasks: crashes and lost workers are retried, errors are not.
    package static let task = RetryPolicy(
        attemptsMax: 4, retriesErrors: false, retriesCrashes: true, delayInMilliseconds: 100)
    /// A driver is restarted when its worker is lost; when it fails by itself, the job fails.
    package static let driver = RetryPolicy(
        attemptsMax: 4, retriesErrors: false, retriesCrashes: false, delayInMilliseconds: 0)

    package init(
        attemptsMax: Int, retriesErrors: Bool, retriesCrashes: Bool, delayInMilliseconds: Int64
    ) {
        self.attemptsMax = attemptsMax
        self.retriesErrors = retriesErrors
        self.retriesCrashes = retriesCrashes
        self.delayInMilliseconds = delayInMilliseconds
    }
}

/// The right of one worker to run one attempt of one task until `expiry`.
package struct Lease: Hashable, Sendable, Codable {
    package let task: TaskID
    package let worker: WorkerID
    /// The fencing token: larger for every lease the store ever grants. Only the holder of a task's
    /// current token may end its attempt.
    package let token: Int64
    /// On the store's clock, milliseconds since 1970.
    package var expiry: Int64

    package init(task: TaskID, worker: WorkerID, token: Int64, expiry: Int64) {
        self.task = task
        self.worker = worker
        self.token = token
        self.expiry = expiry
    }
}

/// Where a task's input or result lies.
package enum Payload: Hashable, Sendable, Codable {
    /// At most `Payload.inlineMax` bytes.
    case inline([UInt8])
    /// Lower-case hex SHA-256 of a blob.
    case blob(digest: String, sizeInBytes: Int64)

    package static let inlineMax = 64 << 10
}

/// How one attempt ended.
package enum AttemptOutcome: Hashable, Sendable, Codable {
    case succeeded(Payload)
    /// The task's own code threw.
    case failed(message: String)
    /// Its process ended by a signal or with a non-zero exit code before it answered.
    case crashed(message: String, exitCode: Int32?, signal: Int32?)
    /// Handed back unharmed by a worker that shuts down; not counted as an attempt.
    case released
    case cancelled(by: String)
}

/// An attempt that did not end well, kept so that a task can say everything that happened to it.
package struct AttemptRecord: Hashable, Sendable, Codable {
    package let number: Int
    package let worker: WorkerID
    /// One line: "signal 9 (SIGKILL)", "worker-1 stopped answering", "exit code 3".
    package let cause: String
    /// On the store's clock, milliseconds since 1970.
    package let endedAt: Int64
    /// What the attempt said last, at most `lastLinesMaxInBytes` together.
    package let lastLines: [String]

    package init(
        number: Int, worker: WorkerID, cause: String, endedAt: Int64, lastLines: [String] = []
    ) {
        self.number = number
        self.worker = worker
        self.cause = cause
        self.endedAt = endedAt
        self.lastLines = lastLines
    }

    /// Whether the store ended the attempt, because its worker was silent or a deadline passed:
    /// then nobody told its last lines. `expiring` and `passingDeadline` give such causes.
    package var wasEndedByStore: Bool {
        cause == AttemptRecord.silence(of: worker) || cause.hasSuffix(" exceeded on \(worker)")
    }

    static func silence(of worker: WorkerID) -> String { "\(worker) stopped answering" }
}

/// Why a task ended without a result.
package struct TaskFailure: Error, Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        case error, crash, lost, deadline
    }
    package var kind: Kind
    package var message: String
    package var exitCode: Int32?
    package var signal: Int32?

    package init(kind: Kind, message: String, exitCode: Int32? = nil, signal: Int32? = nil) {
        self.kind = kind
        self.message = message
        self.exitCode = exitCode
        self.signal = signal
    }
}

package enum TaskState: Hashable, Sendable, Codable {
    /// Claimable once the store's clock has passed `notBefore` (milliseconds since 1970).
    case waiting(notBefore: Int64)
    case running(Lease)
    case succeeded(Payload)
    case failed(TaskFailure)
    case cancelled(by: String)

    package var isTerminal: Bool {
        switch self {
        case .waiting, .running: false
        case .succeeded, .failed, .cancelled: true
        }
    }

    var isRunning: Bool {
        if case .running = self { true } else { false }
    }
}

/// A task as submitted.
package struct NewTask: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable { case driver, task }

    /// The label of workers that can compile and run scripts.
    package static let toolchainLabel = "toolchain"

    package var id: TaskID
    package var job: JobID
    package var kind: Kind
    /// The registered name, shown in logs: "growTrees".
    package var name: String
    package var input: Payload
    package var resources: Resources
    /// Labels a worker must have ("toolchain").
    package var labels: Set<String>
    /// Higher first.
    package var priority: Int
    package var retry: RetryPolicy
    package var deadlines: Deadlines
    /// Only workers of this pool are granted it. Stores set it: a task runs in its job's pool.
    package var pool: String

    package init(
        id: TaskID, job: JobID, kind: Kind, name: String, input: Payload,
        resources: Resources, labels: Set<String> = [], priority: Int = 0, retry: RetryPolicy,
        deadlines: Deadlines = Deadlines(), pool: String = Pool.defaultName
    ) {
        self.id = id
        self.job = job
        self.kind = kind
        self.name = name
        self.input = input
        self.resources = resources
        self.labels = labels
        self.priority = priority
        self.retry = retry
        self.deadlines = deadlines
        self.pool = pool
    }
}

/// A task and everything that happened to it. Its transitions stand in `TaskRecord+Life.swift`.
package struct TaskRecord: Hashable, Sendable, Codable {
    package let spec: NewTask
    package var state: TaskState
    /// 1 for the first attempt; 0 while none was granted.
    package var attempt: Int
    package var history: [AttemptRecord]
    /// On the store's clock, milliseconds since 1970.
    package let createdAt: Int64
    /// Which life of its job it belongs to, from 1: `JobRecord.lives` when it was last asked for.
    package var life = 1
    /// When its time began anew: at a retry, or when the jobs its driver waited for were done.
    package var scheduledAt: Int64?
    /// Whether it waits for other jobs (`NewJob.after`), and is in no queue.
    package var isHeld = false
    /// Who asked for the end of the attempt that runs; its worker hears of it at the next
    /// heartbeat.
    package var cancelRequestedBy: String?
    /// The token of the lease that last ended an attempt, so that a repeated ending is recognised.
    package var endedToken: Int64?
    /// What strikes next; nil for a task without deadlines, and for one that is over.
    package var deadline: StandingDeadline?
    /// The token of the lease whose attempt a deadline ended last, so that its worker hears why.
    package var overdueToken: Int64?

    /// The newest attempts that are kept.
    package static let historyMax = 16

    package init(
        spec: NewTask, state: TaskState, attempt: Int, history: [AttemptRecord], createdAt: Int64
    ) {
        self.spec = spec
        self.state = state
        self.attempt = attempt
        self.history = history
        self.createdAt = createdAt
        enter(state, at: createdAt)
    }

    /// A task that has just begun to wait.
    init(new task: NewTask, at now: Int64) {
        self.init(
            spec: task, state: .waiting(notBefore: now), attempt: 0, history: [], createdAt: now)
    }
}
