@preconcurrency import Glibc

/// Standard output and error of a job: what people read live in `job logs`.
enum StandardStreams {
    /// Lines arrive when they are printed, also through a pipe, where libc would hold back 4 KiB.
    static func makeLineBuffered() {
        fflush(stdout)
        setvbuf(stdout, nil, _IOLBF, 0)
    }

    static func flush() { fflush(nil) }

    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whole at once, so that lines of several threads do not mix.
    static func writeError(_ text: String) { write(text, to: STDERR_FILENO) }

    static func writeLine(_ text: String) {
        fflush(stdout)
        write(text + "\n", to: STDOUT_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // Nobody reads it any more: there is nowhere left to say so.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// How a job's process ends.
enum ExitStatus {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = 2
    /// The script itself is wrong: two tasks of one name.
    static let badScript: Int32 = 3
    static let terminated: Int32 = 143
    static let interrupted: Int32 = 130

    /// Ends the process after writing out what was printed.
    static func leave(_ status: Int32) -> Never {
        StandardStreams.flush()
        exit(status)
    }

    /// Ends the process in this instant, from any thread: the worker is gone.
    static func leaveAtOnce(_ status: Int32) -> Never { _exit(status) }
}
