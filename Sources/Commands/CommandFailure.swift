import ArgumentParser
import Cluster
import DecisionForests
import Foundation
import HTTPClient
import MLflow

/// Exit codes of every command (docs/OPERATIONS.md).
enum ExitStatus {
    static let failure: Int32 = 1
    static let usage: Int32 = 2
    static let notFound: Int32 = 3
    static let conflict: Int32 = 4
    static let timeout: Int32 = 5
    static let cannotConnect: Int32 = 6
    static let notPermitted: Int32 = 7
}

/// A setting that cannot be used, with words for the person who made it.
struct SettingError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// An error as a person meets it: what happened, what to do next, and the exit code.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let code: Int32

    init(_ description: String, code: Int32 = ExitStatus.failure) {
        self.description = description
        self.code = code
    }

    /// Words and code for what any command may throw.
    init(_ error: any Error, address: String? = nil) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let failure as HeadFailure: self.init(failure.detail, code: Self.code(of: failure))
        case HTTPClientError.cannotConnect(let host, let cause):
            self.init(
                "cannot connect to \(address ?? host): \(cause).\n"
                    + "Start a cluster with `manta up`, or name another one with --address.",
                code: ExitStatus.cannotConnect)
        case HTTPClientError.timedOut(let host):
            self.init("\(host) did not answer in time.", code: ExitStatus.timeout)
        case let error as MLflowError: self.init(error.description, code: Self.code(of: error))
        case DatasetError.unreadable(let file, _)
        where !FileManager.default.fileExists(atPath: file):
            self.init("\(error)", code: ExitStatus.notFound)
        case is ParameterError, is LearnerSpecError: self.init("\(error)", code: ExitStatus.usage)
        case let error as SettingError: self.init(error.description, code: ExitStatus.usage)
        case let error as CocoaError: self.init(error.localizedDescription)
        default: self.init("\(error)")
        }
    }

    private static func code(of error: MLflowError) -> Int32 {
        switch error.kind {
        case .unreachable: ExitStatus.cannotConnect
        case .notFound: ExitStatus.notFound
        case .invalidConfiguration: ExitStatus.usage
        case .unauthenticated, .forbidden: ExitStatus.notPermitted
        default: ExitStatus.failure
        }
    }

    private static func code(of failure: HeadFailure) -> Int32 {
        switch failure.status {
        case 401, 403: ExitStatus.notPermitted
        case 404: ExitStatus.notFound
        case 409: ExitStatus.conflict
        case 400: ExitStatus.usage
        case 504: ExitStatus.timeout
        default: ExitStatus.failure
        }
    }
}
