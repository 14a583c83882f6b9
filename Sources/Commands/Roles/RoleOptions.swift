import ArgumentParser
import Dispatch
import Foundation
import Jobs
import Logging
import Synchronization
import Telemetry

/// What every role takes: where its store is and how it logs.
struct RoleOptions: ParsableArguments {
    @Option(help: "The control store: redis[+sentinel]://…, unix:///…, or memory: (MANTA_STORE).")
    var store: String?

    @Option(
        help:
            "A directory or s3://BUCKET/PREFIX all workers share, for larger blobs (MANTA_ORIGIN)."
    )
    var origin: String?

    @OptionGroup var logging: LoggingOptions

    func storeConfiguration(_ environment: Environment) throws -> StoreConfiguration {
        guard let url = environment.storeURL(store) else {
            throw SettingError(
                "no control store is named: set --store or REDIS_URL to redis://HOST:6379, "
                    + "or start everything on this machine with `manta up`.")
        }
        var configuration = try StoreConfiguration(
            url: url, namespace: environment.namespace,
            origin: origin ?? environment["MANTA_ORIGIN"], environment: environment.values)
        configuration.program = mantaVersion
        return configuration
    }
}

/// How a role logs.
struct LoggingOptions: ParsableArguments {
    @Option(help: "trace, debug, info, notice, warning, error (MANTA_LOG_LEVEL).")
    var logLevel: String?

    @Option(help: "text or json (MANTA_LOG_FORMAT).")
    var logFormat: String?

    /// Sets up logging for the process and answers a role's logger.
    func makeLogger(_ role: String, _ environment: Environment) throws -> Logger {
        let levelName = logLevel ?? environment["MANTA_LOG_LEVEL"] ?? "info"
        let formatName = logFormat ?? environment["MANTA_LOG_FORMAT"] ?? "text"
        guard let level = Logger.Level(rawValue: levelName) else {
            throw SettingError(
                "'\(levelName)' is no log level; take debug, info, warning or error.")
        }
        guard let format = LogFormat(rawValue: formatName) else {
            throw SettingError(
                "'\(formatName)' is no log format; take "
                    + LogFormat.allCases.map(\.rawValue).joined(separator: " or ") + ".")
        }
        EventLogHandler.install(format: format, level: level)
        return Logger(label: "manta.\(role)")
    }
}

/// Runs `body` until it returns, or until SIGTERM or SIGINT ends it: by `stop`, after which it
/// returns by itself, or by cancelling it where there is none. A second signal ends at once.
func runUntilSignalled(
    stop: (@Sendable () -> Void)? = nil, _ body: @escaping @Sendable () async throws -> Void
) async throws {
    signal(SIGPIPE, SIG_IGN)
    let task = Task { try await body() }
    let isStopping = Atomic<Bool>(false)
    let sources = [SIGTERM, SIGINT].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            if isStopping.exchange(true, ordering: .relaxed) { exit(128 + number) }
            if let stop { stop() } else { task.cancel() }
        }
        source.resume()
        return source
    }
    defer { for source in sources { source.cancel() } }
    do {
        try await task.value
    } catch is CancellationError {
        return
    }
}
