import Foundation
import Processes

/// Runs a script of `Tests/Fixtures/learning` with the Python that has scikit-learn.
enum LearningPython {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static var interpreter: String {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["MANTA_VENV"] { return path + "/bin/python" }
        let data = environment["XDG_DATA_HOME"] ?? NSHomeDirectory() + "/.local/share"
        return data + "/manta/venv/bin/python"
    }

    private static func script(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/learning/\(name)").path
    }

    /// Runs to the end and decodes the JSON that the script wrote to `output`.
    static func run<Answer: Decodable>(
        _ name: String, _ arguments: [String], output: String, in folder: ScratchFolder
    ) async throws -> Answer {
        guard FileManager.default.isExecutableFile(atPath: interpreter) else {
            throw Failure(description: "no \(interpreter); run script/bootstrap")
        }
        let log = folder.file("log")
        var specification = ChildProcess.Specification(
            interpreter, [script(name)] + arguments,
            environment: ProcessInfo.processInfo.environment)
        specification.standardOutput = .file(log)
        specification.standardError = .file(log)
        let exit = try await ChildProcess.spawn(specification).wait()
        guard case .code(0) = exit else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Failure(description: "\(name) ended with \(exit):\n\(text.suffix(4000))")
        }
        let decoder = JSONDecoder()
        return try decoder.decode(Answer.self, from: Data(contentsOf: URL(fileURLWithPath: output)))
    }
}

/// A folder that is removed when the last reference to it goes.
final class ScratchFolder: Sendable {
    private let path: String

    init() throws {
        path = NSTemporaryDirectory() + "manta-learning-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }
}
