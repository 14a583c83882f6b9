import Foundation
import Processes

/// A Redis Sentinel that decides alone, on a free port.
///
/// It ends with `stop()`, and also when the test process dies.
package final class SentinelServer: Sendable {
    package let port: Int
    private let directory: String
    private let process: ChildProcess

    /// - Parameters:
    ///   - primary: the port of the server that is the primary now.
    ///   - name: what the Sentinel calls it.
    package init(watching primary: Int, as name: String) throws {
        port = try RedisServer.freePort()
        directory = NSTemporaryDirectory() + "manta-sentinel-\(getpid())-\(port)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        TemporaryFolders.removeAtExit(directory)
        // It writes what it learns into its file.
        try """
        port \(port)
        bind 127.0.0.1
        dir \(directory)
        logfile \(directory)/sentinel.log
        sentinel monitor \(name) 127.0.0.1 \(primary) 1
        sentinel down-after-milliseconds \(name) 1000
        sentinel failover-timeout \(name) 10000

        """.write(toFile: directory + "/sentinel.conf", atomically: true, encoding: .utf8)
        var specification = ChildProcess.Specification(
            "redis-server", [directory + "/sentinel.conf", "--sentinel"],
            environment: ProcessInfo.processInfo.environment)
        specification.standardOutput = .null
        specification.standardError = .null
        process = try ChildProcess.spawn(specification)
    }

    package func stop() {
        process.signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }
}
