import Foundation
import Processes
import Synchronization

/// A real `redis-server` in a temporary folder, on a free port and a Unix socket.
///
/// It ends with `stop()`, and also when the test process dies.
package final class RedisServer: Sendable {
    package let port: Int
    package let directory: String
    private let options: [String]
    private let variables: [String: String]
    private let process: Mutex<ChildProcess?>

    /// `redis://127.0.0.1:port`
    package var url: String { "redis://127.0.0.1:\(port)" }
    package var socketPath: String { "\(directory)/redis.sock" }
    package var socketURL: String { "unix://\(socketPath)" }

    /// One server for all tests of this process; tests keep apart by their namespaces.
    package static func shared() async throws -> RedisServer { try await sharedTask.value }

    private static let sharedTask = Task { try await start() }

    /// Starts a server that keeps nothing on disk unless `options` say so, and waits until it
    /// answers.
    ///
    /// - Parameters:
    ///   - options: as on the command line: `["--appendonly", "yes"]`.
    ///   - variables: for its environment, over our own.
    package static func start(
        _ options: [String] = [], variables: [String: String] = [:]
    ) async throws -> RedisServer {
        var lastError = RedisServerError("not tried")
        for _ in 0..<5 {
            // Between finding the free port and binding it another process may take it.
            let server = try RedisServer(options: options, variables: variables)
            do {
                try await server.startProcess()
                return server
            } catch let error as RedisServerError {
                await server.stop()
                lastError = error
            }
        }
        throw lastError
    }

    private init(options: [String], variables: [String: String]) throws {
        self.options = options
        self.variables = variables
        port = try RedisServer.freePort()
        let name = "manta-redis-\(getpid())-\(port)"
        directory = NSTemporaryDirectory() + name
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        TemporaryFolders.removeAtExit(directory)
        process = Mutex(nil)
    }

    private func startProcess() async throws {
        var specification = ChildProcess.Specification(
            "redis-server",
            [
                "--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socketPath,
                "--dir", directory, "--save", "", "--appendonly", "no", "--daemonize", "no",
                "--logfile", "\(directory)/redis.log",
            ] + options,
            environment: ProcessInfo.processInfo.environment.merging(variables) { $1 })
        specification.standardOutput = .null
        specification.standardError = .null
        let child: ChildProcess
        do { child = try ChildProcess.spawn(specification) } catch {
            throw RedisServerMissing(
                "redis-server cannot be started (\(error)); run: apt-get install redis-server")
        }
        process.withLock { $0 = child }
        let deadline = ContinuousClock.now + .seconds(20)
        while !answers() {
            guard child.isRunning, ContinuousClock.now < deadline else {
                let log = try? String(contentsOfFile: "\(directory)/redis.log", encoding: .utf8)
                throw RedisServerError("redis-server did not start: \(log ?? "no log")")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ends the server at once, as a crash would (SIGKILL). `restart` brings it back.
    package func kill() async {
        let child = process.withLock { child in
            defer { child = nil }
            return child
        }
        child?.signal(SIGKILL)
        _ = await child?.wait()
        unlink(socketPath)
    }

    /// Starts it again on the same port and folder.
    package func restart() async throws {
        await kill()
        try await startProcess()
    }

    /// Stops the process where it stands, so that connections stay open and nobody answers.
    package func freeze() { process.withLock { $0?.signal(SIGSTOP) } }

    package func thaw() { process.withLock { $0?.signal(SIGCONT) } }

    /// Ends the server and removes its folder.
    package func stop() async {
        await kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Whether PING is answered, by PONG or by the demand for a password.
    private func answers() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socketPath.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path.prefix(room.count - 1))
        }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, size)
            }
        }
        guard status == 0 else { return false }
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard send(descriptor, "PING\r\n", 6, Int32(MSG_NOSIGNAL)) == 6 else {
            return false
        }
        var reply = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &reply, reply.count, 0)
        let line = String(decoding: reply.prefix(max(0, count)), as: UTF8.self)
        return line.hasPrefix("+PONG") || line.hasPrefix("-NOAUTH")
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && getsockname(descriptor, address, &size) == 0
            }
        }
        guard status else { throw RedisServerError("no free port: errno \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Trying again on another port may help.
package struct RedisServerError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Trying again does not help.
package struct RedisServerMissing: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Folders that go when the test process exits in order.
enum TemporaryFolders {
    private static let folders = Mutex<[String]>([])
    private static let registration: Void = {
        atexit {
            for folder in TemporaryFolders.folders.withLock({ $0 }) {
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
    }()

    static func removeAtExit(_ folder: String) {
        _ = registration
        folders.withLock { $0.append(folder) }
    }
}
