import Foundation
import Processes

/// Runs a script of `Tests/Fixtures/formats` with the Python that has MLflow and ONNX Runtime.
enum PythonProgram {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static var interpreter: String {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["MANTA_VENV"] { return path + "/bin/python" }
        let data = environment["XDG_DATA_HOME"] ?? NSHomeDirectory() + "/.local/share"
        return data + "/manta/venv/bin/python"
    }

    /// Runs to the end; throws with the script's own words when it fails.
    static func run(_ script: String, _ arguments: [String], log: String) async throws {
        guard FileManager.default.isExecutableFile(atPath: interpreter) else {
            throw Failure(description: "no \(interpreter); run script/bootstrap")
        }
        var environment = ProcessInfo.processInfo.environment
        environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
        var specification = ChildProcess.Specification(
            interpreter, [Fixtures.path(script)] + arguments, environment: environment)
        specification.standardOutput = .file(log)
        specification.standardError = .file(log)
        let exit = try await ChildProcess.spawn(specification).wait()
        guard case .code(0) = exit else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Failure(description: "\(script) ended with \(exit):\n\(text.suffix(4000))")
        }
    }
}

/// Files of `Tests/Fixtures/formats`.
enum Fixtures {
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/formats/\(name)").path
    }
}

/// A folder that is removed when the last reference to it goes.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "manta-formats-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
