import ArgumentParser
import Foundation

/// Runs a command and ends the process with the right code, whatever happened.
package enum CommandLineTool {
    /// What is left to say when a command has ended, and the process's exit code.
    struct Ending: Equatable {
        var code: Int32 = 0
        var output = ""
        var errorOutput = ""
    }

    /// - Parameter arguments: the process's own, the program's name first. Called as `job` or
    ///   `serve`, the program is that command.
    package static func run(_ arguments: [String]) async -> Never {
        let ending = await ending(of: arguments)
        writeOut(ending.output)
        writeError(ending.errorOutput)
        Foundation.exit(ending.code)
    }

    static func ending(of arguments: [String]) async -> Ending {
        let name = ((arguments.first ?? "manta") as NSString).lastPathComponent
        let rest = Array(arguments.dropFirst())
        return switch name {
        case "job": await ending(of: JobCommand.self, rest)
        case "serve": await ending(of: ServeCommand.self, rest)
        default: await ending(of: MantaCommand.self, rest)
        }
    }

    private static func ending<Root: ParsableCommand>(
        of root: Root.Type, _ arguments: [String]
    ) async -> Ending {
        do {
            var command = try root.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return Ending()
        } catch let code as ExitCode {
            return Ending(code: code.rawValue)
        } catch {
            switch root.exitCode(for: error) {
            case .success:
                return Ending(output: root.fullMessage(for: error) + "\n")
            case .validationFailure:
                return Ending(
                    code: ExitStatus.usage, errorOutput: root.fullMessage(for: error) + "\n")
            default:
                let failure = CommandFailure(error)
                return Ending(code: failure.code, errorOutput: "Error: \(failure)\n")
            }
        }
    }
}

/// Writes to standard output at once. What cannot be written ends the process: quietly when nobody
/// reads any more, as SIGPIPE does, and with the cause when, say, the disk is full.
func writeOut(_ text: String) {
    let code = write(text, to: 1)
    guard code != 0 else { return }
    if code != EPIPE {
        writeError("Error: the output cannot be written: \(String(cString: strerror(code)))\n")
    }
    Foundation.exit(ExitStatus.failure)
}

/// Writes to standard error; when even that fails there is nobody left to tell.
func writeError(_ text: String) { _ = write(text, to: 2) }

/// Answers 0, or why the rest was not written.
private func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
        var offset = 0
        while offset < bytes.count {
            let count = Foundation.write(
                descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return errno }
            offset += count
        }
        return 0
    }
}

/// A value as JSON on standard output: keys sorted, one line feed at the end.
func writeJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    writeOut(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
}
