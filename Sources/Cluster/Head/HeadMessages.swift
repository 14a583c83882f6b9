package import Jobs

// Bodies of the head's HTTP API, shared by server and client. Keys are Ray's where Ray has the
// route.

/// `POST /api/jobs/`. Unknown fields are refused, so that a misspelt one is seen.
package struct SubmitRequest: Codable, Sendable, Hashable {
    /// The shell command, or for scripts what people read in lists: "train.swift --width 75".
    package var entrypoint: String
    package var submissionID: String?
    package var runtimeEnvironment: RuntimeEnvironment?
    package var metadata: [String: String]?
    package var cpus: Double?
    /// A whole number; as `Double`, so that a fraction or a huge one can be named in the refusal.
    package var memoryInBytes: Double?
    package var gpus: Double?
    /// Ours: a Swift script, or a package's folder as a zip file, that was uploaded as a blob.
    package var script: Script?
    package var priority: Int?
    /// Whatever else the driver's worker must have free, by name.
    package var resources: [String: Double]?
    /// Labels the driver's worker must have, as Ray names them: `{"zone": "a"}` is `zone=a`.
    package var labelSelector: [String: String]?
    /// Where the driver and all tasks run; nil: the pool "default".
    package var pool: String?
    /// The job begins when all of these succeeded.
    package var after: [String]?
    /// How long the whole job may take, its wait included.
    package var timeoutInSeconds: Double?
    /// How long the job may wait for a worker.
    package var scheduleToStartInSeconds: Double?

    package struct Script: Codable, Sendable, Hashable {
        /// "train.swift", or "trainer.zip" for a package.
        package var fileName: String
        /// Lower-case hex SHA-256 of the blob.
        package var digest: String
        package var arguments: [String]

        package init(fileName: String, digest: String, arguments: [String]) {
            self.fileName = fileName
            self.digest = digest
            self.arguments = arguments
        }

        enum CodingKeys: String, CodingKey {
            case fileName = "file_name"
            case digest, arguments
        }
    }

    package struct RuntimeEnvironment: Codable, Sendable, Hashable {
        /// A zipped folder: `blob://<sha256>` when it was uploaded before, else where the worker
        /// fetches it from, `https://host/x.zip#sha256=<64 hex digits>`.
        package var workingDirectory: String?
        package var variables: [String: String]?

        package init(workingDirectory: String? = nil, variables: [String: String]? = nil) {
            self.workingDirectory = workingDirectory
            self.variables = variables
        }

        enum CodingKeys: String, CodingKey {
            case workingDirectory = "working_dir"
            case variables = "env_vars"
        }
    }

    package init(entrypoint: String) { self.entrypoint = entrypoint }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case entrypoint, metadata, priority, pool, after
        case submissionID = "submission_id"
        case runtimeEnvironment = "runtime_env"
        case cpus = "entrypoint_num_cpus"
        case gpus = "entrypoint_num_gpus"
        case memoryInBytes = "entrypoint_memory"
        case resources = "entrypoint_resources"
        case labelSelector = "entrypoint_label_selector"
        case timeoutInSeconds = "timeout_s"
        case scheduleToStartInSeconds = "schedule_to_start_s"
        case script = "manta_script"
    }
}

package struct SubmitReply: Codable, Sendable, Hashable {
    package var jobID: String
    package var submissionID: String

    package init(id: JobID) {
        jobID = id.rawValue
        submissionID = id.rawValue
    }

    enum CodingKeys: String, CodingKey {
        case jobID = "job_id"
        case submissionID = "submission_id"
    }
}

/// `POST /api/jobs/{id}/retry`.
package struct RetryReply: Codable, Sendable, Hashable {
    package var submissionID: String
    /// False when the job was active already.
    package var retried: Bool
    /// 1 for the job as submitted; grows with every retry.
    package var life: Int

    package init(_ record: JobRecord, retried: Bool) {
        submissionID = record.spec.id.rawValue
        self.retried = retried
        life = record.lives
    }

    enum CodingKeys: String, CodingKey {
        case retried, life
        case submissionID = "submission_id"
    }
}

/// `GET /api/jobs/{id}`: Ray's keys, and ours under `manta`.
package struct JobDetails: Codable, Sendable, Hashable {
    package enum Status: String, Codable, Sendable {
        case pending = "PENDING"
        case running = "RUNNING"
        case stopped = "STOPPED"
        case succeeded = "SUCCEEDED"
        case failed = "FAILED"

        package var isTerminal: Bool { self != .pending && self != .running }
    }

    package struct More: Codable, Sendable, Hashable {
        /// "queued", "compiling", "running", "stopping", or the status in lower case.
        package var phase: String
        /// What it waits for or why it failed, in one line.
        package var detail: String
        /// Why it stands where it stands, as `job why` says it; only where one job is asked for.
        package var why: String?
        package var worker: String?
        package var pool: String
        /// The jobs it comes after that are not done yet.
        package var waitsFor: [String]
        /// 1 for the job as submitted; grows with every retry.
        package var life: Int
        package var driverAttempts: Int
        package var tasksTotal: Int
        package var tasksSucceeded: Int
        package var tasksFailed: Int
        package var tasksRetried: Int
        package var signal: Int32?
        /// What MLflow does not have yet; nil when nothing waits, was dropped or refused.
        package var mlflow: Tracking?

        enum CodingKeys: String, CodingKey {
            case phase, detail, why, worker, pool, life, signal, mlflow
            case waitsFor = "waits_for"
            case driverAttempts = "driver_attempts"
            case tasksTotal = "tasks_total"
            case tasksSucceeded = "tasks_succeeded"
            case tasksFailed = "tasks_failed"
            case tasksRetried = "tasks_retried"
        }
    }

    /// See `TrackingBacklog`.
    package struct Tracking: Codable, Sendable, Hashable {
        package var waiting: Int
        /// Milliseconds since 1970.
        package var oldest: Int64?
        package var lastError: String?
        package var dropped: Int
        package var refused: Int

        enum CodingKeys: String, CodingKey {
            case waiting, oldest, dropped, refused
            case lastError = "last_error"
        }
    }

    package var type: String
    package var jobID: String?
    package var submissionID: String
    package var status: Status
    package var entrypoint: String
    package var message: String
    package var errorType: String?
    package var startTime: Int64?
    package var endTime: Int64?
    package var metadata: [String: String]
    package var runtimeEnvironment: SubmitRequest.RuntimeEnvironment
    package var driverExitCode: Int32?
    package var manta: More

    enum CodingKeys: String, CodingKey {
        case type, status, entrypoint, message, metadata, manta
        case jobID = "job_id"
        case submissionID = "submission_id"
        case errorType = "error_type"
        case startTime = "start_time"
        case endTime = "end_time"
        case runtimeEnvironment = "runtime_env"
        case driverExitCode = "driver_exit_code"
    }
}

/// One line of `GET /api/jobs/{id}/events`: what `job submit` and `job logs -f` follow.
package enum JobEvent: Codable, Sendable, Hashable {
    case phase(String, detail: String)
    /// `cursor` resumes after this line.
    case log(LogLine, cursor: String?)
    case dropped(count: Int)
    /// Sent when nothing else was for a while, so that a dead connection is noticed.
    case alive
    /// The last event.
    case end(JobDetails)
}

/// `POST /api/jobs/{id}/stop` and `…/tasks/{task}/stop`; an empty body is one without fields.
package struct StopRequest: Codable, Sendable, Hashable {
    /// Who asks, in the asker's own words: "ada@laptop". Whoever has the token may say anything.
    package var by: String?

    package init(by whom: String?) { by = whom }

    static let nameMaxInBytes = 128
    /// One who says no name: Ray's clients, and older ones of ours.
    static let nobody = "a user"

    /// - Throws: `HeadFailure` 400 for a name that is too long or not a word.
    var asker: String {
        get throws {
            guard let by else { return StopRequest.nobody }
            guard StopRequest.isName(by) else {
                throw HeadFailure(
                    400, "invalid_field",
                    "by must be 1 to \(StopRequest.nameMaxInBytes) bytes of letters, digits and "
                        + "signs, without spaces")
            }
            return by
        }
    }

    /// Whether a text can stand in a sentence as who did something. Spaces would let it say more.
    package static func isName(_ text: String) -> Bool {
        (1...nameMaxInBytes).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator,
                    .lineSeparator, .paragraphSeparator:
                    false
                default: true
                }
            }
    }
}

/// `GET /api/cluster` and `GET /api/cluster/load`.
package struct ClusterDetails: Codable, Sendable, Hashable {
    package var version: String
    package var workers: [WorkerRecord]
    /// Only `GET /api/cluster/load` answers it.
    package var load: ClusterLoad?

    package init(version: String, workers: [WorkerRecord]) {
        self.version = version
        self.workers = workers
    }
}

/// What a refusal says when the client accepts JSON; plain text otherwise, as Ray's clients print
/// it.
package struct HeadFailure: Codable, Sendable, Hashable, Error {
    package var code: String
    package var detail: String
    package var status: Int

    package init(_ status: Int, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }
}
