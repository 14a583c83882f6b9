import Foundation
import Processes

/// A folder of one test, removed with it.
final class TestPlace: Sendable {
    let path: String

    init() throws {
        path = "/tmp/manta-cmd-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    func read(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(path)/\(name)") }

    /// Runs a shell command here to its end.
    func shell(_ command: String) async throws -> ProcessExit {
        var specification = ChildProcess.Specification(
            "/bin/sh", ["-c", command],
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": path, "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C.UTF-8",
            ])
        specification.workingDirectory = path
        specification.standardOutput = .file(path + "/shell.log")
        specification.standardError = .file(path + "/shell.log")
        return await (try ChildProcess.spawn(specification)).wait()
    }
}

/// Chance that is the same in every run (SplitMix64).
struct SeededChance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
