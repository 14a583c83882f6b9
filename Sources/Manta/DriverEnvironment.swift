import Foundation
import MLflow

/// What a job's process is told by its surroundings: the one place that reads environment
/// variables.
struct DriverEnvironment: Sendable {
    /// What this process of the job is for.
    enum Role: Sendable, Hashable {
        /// No cluster: tasks run here, on `threads` threads.
        case alone
        /// Print what the script declares, then end.
        case describe
        case driver(Channel)
        case executor(Channel)
    }

    struct Channel: Sendable, Hashable {
        var path: String
        var token: String
    }

    /// Where a worker wants what MLflow does not take yet; it sends what the job leaves there.
    struct Spool: Sendable, Hashable {
        var folder: String
        var limitInBytes: Int64
    }

    var role: Role
    /// Nil outside a cluster.
    var jobID: String?
    /// CPU threads for tasks when alone.
    var threads: Int
    /// Everything named `MLFLOW_…`.
    var mlflow: [String: String]
    /// Nil outside a cluster.
    var spool: Spool?
    /// Credentials of people and clusters start here.
    var home: String?

    /// - Throws: `JobError.unusableInput` for a role or number that cannot be.
    init(_ variables: [String: String]) throws {
        role = try Self.role(of: variables)
        jobID = variables["MANTA_JOB_ID"].flatMap { $0.isEmpty ? nil : $0 }
        threads = try Self.threads(of: variables)
        mlflow = variables.filter { $0.key.hasPrefix("MLFLOW_") }
        spool = try Self.spool(of: variables)
        home = variables["HOME"]
    }

    /// The environment of this process. The channel's token is taken out of it, so that programs
    /// which the job's own code starts do not inherit it.
    static func ofThisProcess() throws -> DriverEnvironment {
        let environment = try current()
        unsetenv("MANTA_CHANNEL_TOKEN")
        return environment
    }

    /// As it stands now, for code that runs outside `runJob`.
    static func current() throws -> DriverEnvironment {
        try DriverEnvironment(ProcessInfo.processInfo.environment)
    }

    private static func role(of variables: [String: String]) throws -> Role {
        let name = variables["MANTA_ROLE"] ?? ""
        switch name {
        case "": return .alone
        case "describe": return .describe
        case "driver": return .driver(try channel(of: variables))
        case "executor": return .executor(try channel(of: variables))
        default:
            throw JobError.unusableInput(
                subject: "MANTA_ROLE", reason: "\"\(name)\" is none of describe, driver, executor")
        }
    }

    private static func channel(of variables: [String: String]) throws -> Channel {
        guard let path = variables["MANTA_CHANNEL"], !path.isEmpty,
            let token = variables["MANTA_CHANNEL_TOKEN"], !token.isEmpty
        else {
            throw JobError.unusableInput(
                subject: "MANTA_CHANNEL, MANTA_CHANNEL_TOKEN",
                reason: "both must be set for a driver or an executor; only a worker starts these")
        }
        return Channel(path: path, token: token)
    }

    private static func spool(of variables: [String: String]) throws -> Spool? {
        guard let folder = variables["MANTA_SPOOL"], !folder.isEmpty else { return nil }
        guard let text = variables["MANTA_SPOOL_MAX"] else {
            return Spool(folder: folder, limitInBytes: SpoolBudget.defaultLimit)
        }
        guard let limit = Int64(text), limit >= 0 else {
            throw JobError.unusableInput(
                subject: "MANTA_SPOOL_MAX", reason: "\"\(text)\" is no number of bytes")
        }
        return Spool(folder: folder, limitInBytes: limit)
    }

    private static func threads(of variables: [String: String]) throws -> Int {
        guard let text = variables["MANTA_THREADS"], !text.isEmpty else {
            return max(1, ProcessInfo.processInfo.activeProcessorCount)
        }
        guard let count = Int(text), (1...4_096).contains(count) else {
            throw JobError.unusableInput(
                subject: "MANTA_THREADS", reason: "\"\(text)\" is no number from 1 to 4096")
        }
        return count
    }
}
