import Glibc

/// How a process ended.
package enum ProcessExit: Sendable, Hashable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)

    package var isSuccess: Bool { self == .code(0) }

    /// "exit code 3", "signal 9 (SIGKILL)", "exit code 139 (128 + signal 11, SIGSEGV)".
    package var description: String {
        switch self {
        case .code(let code) where (129...159).contains(code):
            // How a shell reports a command that a signal ended.
            "exit code \(code) (128 + signal \(code - 128), "
                + ProcessExit.name(ofSignal: code - 128) + ")"
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number) (\(ProcessExit.name(ofSignal: number)))"
        }
    }

    /// What a shell would answer: the code, or 128 + signal.
    package var shellCode: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let number): 128 + number
        }
    }

    private static func name(ofSignal number: Int32) -> String {
        switch number {
        case SIGHUP: "SIGHUP"
        case SIGINT: "SIGINT"
        case SIGQUIT: "SIGQUIT"
        case SIGILL: "SIGILL"
        case SIGTRAP: "SIGTRAP"
        case SIGABRT: "SIGABRT"
        case SIGBUS: "SIGBUS"
        case SIGFPE: "SIGFPE"
        case SIGKILL: "SIGKILL"
        case SIGSEGV: "SIGSEGV"
        case SIGPIPE: "SIGPIPE"
        case SIGTERM: "SIGTERM"
        case SIGXCPU: "SIGXCPU"
        default: "SIG\(number)"
        }
    }
}

/// A process could not be started.
package struct ProcessError: Error, Sendable, Hashable, CustomStringConvertible {
    package let executable: String
    package let cause: String

    package var description: String { "\(executable) could not be started: \(cause)." }

    init(_ executable: String, errno code: Int32) {
        self.executable = executable
        cause = String(cString: strerror(code))
    }

    package init(executable: String, cause: String) {
        self.executable = executable
        self.cause = cause
    }
}
