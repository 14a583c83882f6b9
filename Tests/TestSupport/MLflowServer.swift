import Foundation
import Processes

/// The real MLflow server of the project's Python environment, on a free port, over SQLite in a
/// temporary folder.
///
/// All suites of a test process share one, because it takes many seconds to start; so tests choose
/// names of their own (`unique`). It ends with the test process, however that ends.
package final class MLflowServer: Sendable {
    package let port: UInt16
    package let folder: String
    private let process: ChildProcess
    /// Its far end is the launcher's: when this process is gone, the launcher ends the server.
    private let lifeline: Int32

    package var url: String { "http://127.0.0.1:\(port)" }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// The one server of this test process, started at first use.
    package static func shared() async throws -> MLflowServer {
        try await starting.value
    }

    private static let starting = Task { try await MLflowServer.start() }

    /// A name no other test uses.
    package static func unique(_ prefix: String) -> String {
        prefix + "-" + UUID().uuidString.prefix(8).lowercased()
    }

    /// A server of its own, for tests that end it or start it differently.
    package static func start(arguments: [String] = []) async throws -> MLflowServer {
        let server = try MLflowServer(
            arguments: arguments, at: Place(port: try Sockets.freePort()), keepsData: false)
        try await server.waitUntilHealthy()
        return server
    }

    /// Where a server is that is stopped and started again: its port and its data.
    package struct Place: Sendable {
        package let port: UInt16
        let folder: String

        package init(port: UInt16) {
            self.port = port
            folder = NSTemporaryDirectory() + MLflowServer.unique("manta-mlflow")
        }

        package static func free() throws -> Place { Place(port: try Sockets.freePort()) }

        package var url: String { "http://127.0.0.1:\(port)" }

        package func remove() { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// A server that leaves its data when it is stopped.
    package static func start(at place: Place) async throws -> MLflowServer {
        let server = try MLflowServer(arguments: [], at: place, keepsData: true)
        try await server.waitUntilHealthy()
        return server
    }

    private init(arguments: [String], at place: Place, keepsData: Bool) throws {
        (port, folder) = (place.port, place.folder)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "No pipe for the MLflow server.") }
        lifeline = ends[1]
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        defer { close(ends[0]) }
        var specification = ChildProcess.Specification(
            try Python.executable,
            [
                "-c", Python.launcher, keepsData ? "" : folder, try Python.folder + "/mlflow",
                "server",
            ]
                + [
                    "--host", "127.0.0.1", "--port", "\(port)", "--workers", "1",
                    "--backend-store-uri", "sqlite:///\(folder)/mlflow.db",
                    "--artifacts-destination", folder + "/artifacts",
                ] + arguments,
            environment: Python.environment.merging([
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"
            ]) { $1 })
        specification.workingDirectory = folder
        specification.standardOutput = .file(folder + "/server.log")
        specification.standardError = .file(folder + "/server.log")
        specification.extraDescriptors = [ends[0]]
        specification.deathSignal = nil
        process = try ChildProcess.spawn(specification)
    }

    deinit {
        close(lifeline)
    }

    /// Ends the server and removes its folder, unless it was started at a place.
    package func stop() async {
        await process.terminate(grace: .seconds(20))
    }

    private func waitUntilHealthy() async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while !isHealthy() {
            guard process.isRunning, ContinuousClock.now < deadline else {
                let log =
                    (try? String(contentsOfFile: folder + "/server.log", encoding: .utf8)) ?? ""
                await stop()
                throw Failure(
                    description: "The MLflow server did not start: \(log.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func isHealthy() -> Bool {
        guard let descriptor = try? Sockets.connect(port: port) else { return false }
        defer { close(descriptor) }
        let request = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        var answer: [UInt8] = []
        guard Sockets.write(Array(request.utf8), to: descriptor) else { return false }
        while Sockets.read(descriptor, &answer) {}
        return String(decoding: answer, as: UTF8.self).contains(" 200 ")
    }
}

/// The project's Python environment: `MANTA_VENV`, or where `script/bootstrap` makes it.
package enum Python {
    package static var folder: String {
        get throws {
            let environment = ProcessInfo.processInfo.environment
            let home = environment["HOME"] ?? "/root"
            let data = environment["XDG_DATA_HOME"] ?? home + "/.local/share"
            let venv = environment["MANTA_VENV"] ?? data + "/manta/venv"
            guard FileManager.default.isExecutableFile(atPath: venv + "/bin/python3") else {
                throw MLflowServer.Failure(
                    description: "There is no Python environment in \(venv): run script/bootstrap.")
            }
            return venv + "/bin"
        }
    }

    package static var executable: String {
        get throws { try folder + "/python3" }
    }

    /// This process's environment without anything about MLflow, and with telemetry off.
    package static var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("MLFLOW_")
        }
        environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
        environment["DO_NOT_TRACK"] = "true"
        return environment
    }

    /// Runs a server until its end of life (descriptor 3) or its own, then removes its folder.
    static let launcher = """
        import os, select, shutil, signal, subprocess, sys
        folder, command = sys.argv[1], sys.argv[2:]
        ending = []
        signal.signal(signal.SIGTERM, lambda *_: ending.append(1))
        server = subprocess.Popen(command)
        while server.poll() is None and not ending:
            if select.select([3], [], [], 0.2)[0]:
                break
        code = server.poll()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            pass
        if code is None:
            shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)
        """

    /// Runs a script and answers its standard output; a script that fails throws its last lines.
    package static func run(
        _ script: String, arguments: [String] = [], environment extra: [String: String] = [:]
    ) async throws -> String {
        let log = NSTemporaryDirectory() + MLflowServer.unique("manta-python")
        defer {
            unlink(log + ".out")
            unlink(log + ".err")
        }
        var specification = ChildProcess.Specification(
            try executable, ["-c", script] + arguments,
            environment: environment.merging(extra) { $1 })
        specification.standardOutput = .file(log + ".out")
        specification.standardError = .file(log + ".err")
        let end = await (try ChildProcess.spawn(specification)).wait()
        guard end.isSuccess else {
            let lines = (try? String(contentsOfFile: log + ".err", encoding: .utf8)) ?? ""
            throw MLflowServer.Failure(
                description: "Python ended with \(end): \(lines.suffix(3000))")
        }
        return try String(contentsOfFile: log + ".out", encoding: .utf8)
    }
}
