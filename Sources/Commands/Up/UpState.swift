import Foundation

/// What a running `manta up` says of itself, in `up.json` of its data directory.
struct UpState: Codable, Sendable {
    struct Endpoint: Codable, Sendable {
        var url: String
    }

    struct Component: Codable, Sendable {
        var name: String
        var pid: Int32?
        /// "starting", "up", "restarting", "stopped", "external".
        var state: String
        var url: String?
        var restarts: Int
        /// Where its output goes.
        var log: String?

        /// Started three times and never up: waiting longer will not help.
        var isBroken: Bool { state == "restarting" && restarts >= 3 }
    }

    /// Of the supervising process, with its start time so that a recycled pid is not mistaken for
    /// it.
    var pid: Int32
    var pidStart: UInt64
    var isReady: Bool
    /// Why it gave up, when it did.
    var failure: String?
    var dataDirectory: String
    var tokenFile: String
    var head: Endpoint?
    var gateway: Endpoint?
    var mlflow: Endpoint?
    var redis: Endpoint?
    var components: [Component]

    enum CodingKeys: String, CodingKey {
        case pid, failure, head, gateway, mlflow, redis, components
        case pidStart = "pid_start"
        case isReady = "is_ready"
        case dataDirectory = "data_dir"
        case tokenFile = "token_file"
    }

    static func path(in dataDirectory: String) -> String { dataDirectory + "/up.json" }

    /// The state of the `manta up` that runs on the default data directory; nil when none does.
    static func read(_ environment: Environment, dataDirectory: String? = nil) -> UpState? {
        let folder = dataDirectory ?? environment["MANTA_DATA_DIR"] ?? environment.dataDirectory
        guard let data = FileManager.default.contents(atPath: path(in: folder)),
            let state = try? JSONDecoder().decode(UpState.self, from: data), state.isAlive
        else { return nil }
        return state
    }

    var isAlive: Bool { pidStart != 0 && UpState.startTime(of: pid) == pidStart }

    func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(
            to: URL(fileURLWithPath: UpState.path(in: dataDirectory)), options: .atomic)
    }

    /// Field 22 of /proc/PID/stat: clock ticks since boot; 0 when there is no such process.
    static func startTime(of pid: Int32) -> UInt64 {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return 0 }
        // The name, field 2, may hold spaces and brackets: count from the last bracket.
        let fields =
            String(decoding: data, as: UTF8.self).split(separator: ")").last?
            .split(separator: " ") ?? []
        if fields.first == "Z" { return 0 }
        return fields.count > 19 ? UInt64(fields[19]) ?? 0 : 0
    }
}
