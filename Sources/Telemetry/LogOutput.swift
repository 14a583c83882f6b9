import Glibc
import Synchronization

/// Where log lines go: standard error in a process, an array in tests.
package protocol LogOutput: Sendable {
    /// Writes one line; the implementation adds the line feed.
    func write(line: [UInt8])
}

/// Writes lines to file descriptor 2, whole and one after another.
package struct StandardErrorOutput: LogOutput {
    private static let lock = Mutex(())

    package init() {}

    package func write(line: [UInt8]) {
        var bytes = line
        bytes.append(0x0A)
        Self.lock.withLock { _ in
            var offset = 0
            while offset < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    Glibc.write(2, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
                }
                if count < 0 && errno == EINTR { continue }
                // A closed or full standard error must not stop the program: the line is lost.
                if count <= 0 { return }
                offset += count
            }
        }
    }
}
