import ArgumentParser
import Foundation
import Processes
import Serving

struct ReplicaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replica",
        abstract: "Answer predictions for the gateway that started this process.",
        discussion: """
            A gateway with --replicas or --max-replicas starts its replicas itself and speaks to \
            them over descriptor 3. They end with it.
            """)

    /// Where `ChildProcess` puts the first extra descriptor.
    static let descriptor: Int32 = 3

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        var facts = stat()
        guard fstat(Self.descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK else {
            throw SettingError(
                "a replica is started by its gateway: manta gateway --replicas 2")
        }
        // What the model server starts in turn must not hold the gateway's socket.
        _ = fcntl(Self.descriptor, F_SETFD, FD_CLOEXEC)
        let logger = try logging.makeLogger("replica", Environment.current())
        await ReplicaService(descriptor: Self.descriptor, logger: logger).run()
    }
}

/// Replicas as child processes of the gateway, from its own program file. The kernel kills them
/// when the gateway ends, however it does; their socket ends too.
struct ReplicaProcesses: ReplicaLauncher {
    let environment: [String: String]
    let logging: LoggingOptions

    func launch(_ id: ReplicaID, over descriptor: Int32) throws -> any ReplicaProcess {
        var arguments = ["replica"]
        if let level = logging.logLevel { arguments += ["--log-level", level] }
        if let format = logging.logFormat { arguments += ["--log-format", format] }
        var specification = ChildProcess.Specification(
            ExecutablePath.current, arguments, environment: environment)
        specification.extraDescriptors = [descriptor]
        return RunningReplica(process: try ChildProcess.spawn(specification))
    }
}

private struct RunningReplica: ReplicaProcess {
    let process: ChildProcess

    var pid: Int32 { process.pid }

    func kill() { process.signal(SIGKILL) }

    func wait() async -> String { await process.wait().description }
}
