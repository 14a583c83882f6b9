public import ArgumentParser

import Synchronization

/// The options of a job, given after `--` on the command line of `job submit`.
///
///     struct Options: JobOptions {
///         @Option(help: "Trees of the forest.") var width = 50
///     }
public protocol JobOptions: ParsableArguments, Sendable {}

/// The options of a job that has none.
struct NoOptions: JobOptions {}

/// What reading the command line led to.
enum ParsedOptions<Options: JobOptions> {
    case options(Options)
    /// `--help` and its like: print and end well.
    case message(String)
    /// Bad options: print on stderr and end with `ExitStatus.usage`.
    case failure(String)

    static func parse(_ arguments: [String]) -> ParsedOptions {
        do {
            return .options(try JobCommand<Options>.parse(arguments).options)
        } catch {
            let text = JobCommand<Options>.fullMessage(for: error)
            let isWell = JobCommand<Options>.exitCode(for: error).isSuccess
            return isWell ? .message(text) : .failure(text)
        }
    }
}

/// The options as a command, so that help shows the script's name.
struct JobCommand<Options: JobOptions>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: ScriptName.value)
    }

    @OptionGroup var options: Options
}

/// The script's file name, "train.swift", as `runJob` was told by its caller.
enum ScriptName {
    private static let stored = Mutex("job")

    static var value: String {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    /// - Parameter fileID: "module/train.swift".
    static func fileName(of fileID: String) -> String {
        fileID.split(separator: "/").last.map(String.init) ?? "job"
    }
}
