import ArgumentParser
import Foundation

/// Runs a command and ends the process with the right code, whatever happened.
package enum CommandLineTool {
    /// - Parameter arguments: the process's own, the program's name first. Called as `job` or `serve`,
    ///   the program is that command.
    package static func run(_ arguments: [String]) async -> Never {
        let name = ((arguments.first ?? "manta") as NSString).lastPathComponent
        let rest = Array(arguments.dropFirst())
        switch name {
        case "job": await run(JobCommand.self, rest)
        case "serve": await run(ServeCommand.self, rest)
        default: await run(MantaCommand.self, rest)
        }
    }

    private static func run<Root: ParsableCommand>(
        _ root: Root.Type, _ arguments: [String]
    ) async -> Never {
        do {
            var command = try root.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Foundation.exit(0)
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch {
            let code = root.exitCode(for: error)
            let isParserError = code == .validationFailure || root.exitCode(for: error) == .success
            if isParserError {
                let message = root.fullMessage(for: error)
                if code == .success {
                    writeOut(message + "\n")
                    Foundation.exit(0)
                }
                writeError(message + "\n")
                Foundation.exit(ExitStatus.usage)
            }
            let failure = CommandFailure(error)
            writeError("Error: \(failure)\n")
            Foundation.exit(failure.code)
        }
    }
}

/// Writes to standard output at once; a closed pipe ends the process quietly, as SIGPIPE does.
func writeOut(_ text: String) { write(text, to: 1) }

func writeError(_ text: String) { write(text, to: 2) }

private func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
        var offset = 0
        while offset < bytes.count {
            let count = Foundation.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            offset += count
        }
    }
}

/// A value as JSON on standard output: keys sorted, one line feed at the end.
func writeJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    writeOut(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
}
