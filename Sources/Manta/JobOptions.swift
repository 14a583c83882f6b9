public import ArgumentParser

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
            return .options(try Options.parse(arguments))
        } catch {
            let text = Options.fullMessage(for: error)
            return Options.exitCode(for: error).isSuccess ? .message(text) : .failure(text)
        }
    }
}
