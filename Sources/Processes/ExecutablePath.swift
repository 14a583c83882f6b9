import Glibc

/// Finds programs the way a shell does.
package enum ExecutablePath {
    /// An absolute path to something executable.
    ///
    /// - Throws: `ProcessError` naming the program when PATH has no such file.
    package static func resolve(
        _ name: String, _ environment: [String: String]
    ) throws(ProcessError) -> String {
        if name.contains("/") { return name }
        if let found = find(name, environment) { return found }
        throw ProcessError(executable: name, cause: "no such program on PATH")
    }

    /// Nil when PATH has no such program.
    package static func find(_ name: String, _ environment: [String: String]) -> String? {
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    /// The file this process runs.
    package static var current: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { return CommandLine.arguments.first ?? "manta" }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
