internal import Foundation
internal import HTTPClient

/// Why an MLflow operation has no result: what was tried, with what, what came back, what to do.
///
/// `message` is bounded and safe to show; it holds no credentials.
package struct MLflowError: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case invalidConfiguration
        /// No server answered.
        case unreachable
        case cancelled
        case notFound
        case alreadyExists
        /// It exists, but was deleted and keeps its name.
        case deleted
        /// The server refused a value, or it is over a limit known here.
        case invalidValue
        /// A run's parameter has another value already.
        case parameterChanged
        case unauthenticated
        case forbidden
        /// The server does not accept the name it was called by.
        case hostRefused
        /// The server has no such route: not MLflow, or an older one.
        case routeMissing
        /// 5xx, 429 or 408 after the last attempt.
        case serverFailed
        /// An answer that cannot be right: malformed, over a bound, or leading out of its folder.
        case invalidAnswer
        /// An artifact store this process does not write to or read from.
        case unsupportedStore
        /// The registry could not make the version ready.
        case registrationFailed
        /// A local file or folder.
        case fileFailed
        /// The run was ended already.
        case runEnded
        /// What waits for the server has reached its bound.
        case spoolFull
    }

    package let kind: Kind
    /// What was tried, as a verb: "create the run".
    package let operation: String
    /// With what: a name or id.
    package let subject: String
    package let status: Int?
    /// MLflow's `error_code`.
    package let errorCode: String?
    package let message: String
    package let nextStep: String?
    /// Whether the server may have acted although no success was seen.
    package let isAmbiguous: Bool

    package init(
        _ kind: Kind, operation: String, subject: String, status: Int? = nil,
        errorCode: String? = nil, message: String, nextStep: String? = nil,
        isAmbiguous: Bool = false
    ) {
        self.kind = kind
        self.operation = operation
        self.subject = MLflowError.bounded(subject, to: 200)
        self.status = status
        self.errorCode = errorCode.map { MLflowError.bounded($0, to: 100) }
        self.message = MLflowError.bounded(message, to: 1000)
        self.nextStep = nextStep
        self.isAmbiguous = isAmbiguous
    }

    /// Whether the same call may succeed later without any change.
    package var isTransient: Bool {
        kind == .unreachable || kind == .serverFailed
    }

    private static func bounded(_ text: String, to count: Int) -> String {
        text.count <= count ? text : text.prefix(count) + "…"
    }
}

extension MLflowError: CustomStringConvertible, LocalizedError {
    package var description: String {
        var text = "MLflow could not \(operation) (\(subject)): \(message)"
        if !text.hasSuffix(".") { text += "." }
        if let status {
            text += " [HTTP \(status)" + (errorCode.map { " " + $0 } ?? "") + "]"
        }
        if let nextStep { text += " " + nextStep }
        return text
    }

    package var errorDescription: String? { description }
}

extension MLflowError {
    /// A transfer that gave no answer.
    init(_ failure: HTTPClientError, operation: String, subject: String, server: String) {
        let kind: Kind
        var nextStep: String?
        switch failure {
        case .cannotConnect, .connectionLost, .timedOut:
            kind = .unreachable
            nextStep =
                "Is the server running? Start one with 'mlflow server --host 127.0.0.1 "
                + "--port 5000', or set MLFLOW_TRACKING_URI (now \(server))."
        case .tls:
            kind = .unreachable
            nextStep =
                "Set MLFLOW_TRACKING_SERVER_CERT_PATH to the PEM file of its authority "
                + "(MLFLOW_TRACKING_INSECURE_TLS=true switches the check off)."
        case .cancelled, .closed: kind = .cancelled
        case .tooLarge, .malformedResponse: kind = .invalidAnswer
        case .invalidURL, .invalidHeader, .addressRefused: kind = .invalidConfiguration
        case .fileFailed: kind = .fileFailed
        }
        self.init(
            kind, operation: operation, subject: subject, message: failure.description,
            nextStep: nextStep, isAmbiguous: !failure.isSurelyUnprocessed)
    }

    /// An answer with a status other than 2xx. Its body may be JSON, HTML or text.
    init(_ response: HTTPResponse, operation: String, subject: String, server: String) {
        let body = ErrorBody(response)
        let kind = MLflowError.kind(of: response.status, body)
        self.init(
            kind, operation: operation, subject: subject, status: response.status,
            errorCode: body.errorCode, message: body.message,
            nextStep: MLflowError.nextStep(for: kind, server: server),
            isAmbiguous: response.status >= 500)
    }

    private static func kind(of status: Int, _ body: ErrorBody) -> Kind {
        switch (status, body.errorCode) {
        case (_, "RESOURCE_ALREADY_EXISTS"), (_, "ALREADY_EXISTS"): .alreadyExists
        case (_, "RESOURCE_DOES_NOT_EXIST"), (_, "NOT_FOUND"): .notFound
        case (404, nil), (405, nil), (_, "ENDPOINT_NOT_FOUND"): .routeMissing
        case (400, _) where body.message.hasPrefix("Changing param values"): .parameterChanged
        case (400, _) where body.message.hasPrefix("Registered model alias"): .notFound
        case (401, _): .unauthenticated
        case (403, _) where body.message.contains("Invalid Host header"): .hostRefused
        case (403, _): .forbidden
        case (408, _), (429, _), (500..., _): .serverFailed
        case (400..<500, _): .invalidValue
        default: .invalidAnswer
        }
    }

    private static func nextStep(for kind: Kind, server: String) -> String? {
        let host = (try? HTTPURL(server)).map { ($0.host, $0.port) }
        switch kind {
        case .unauthenticated:
            return "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                + "MLFLOW_TRACKING_TOKEN."
        case .hostRefused:
            guard let (name, port) = host else { return nil }
            return "Start the MLflow server with --allowed-hosts "
                + "'\(name),\(name):\(port),localhost,localhost:\(port)' "
                + "(or MLFLOW_SERVER_ALLOWED_HOSTS)."
        case .routeMissing:
            return "Is \(server) an MLflow tracking server?"
        default:
            return nil
        }
    }
}

/// What an error answer says, whatever form it has.
struct ErrorBody {
    let errorCode: String?
    let message: String

    private struct JSON: Decodable {
        var errorCode: String?
        var message: String?
    }

    init(_ response: HTTPResponse) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        if let json = try? decoder.decode(JSON.self, from: Data(response.body.prefix(1 << 20))),
            json.errorCode != nil || json.message != nil
        {
            errorCode = json.errorCode
            message = json.message ?? "no message"
        } else {
            errorCode = nil
            let text = ErrorBody.plainText(response.body.prefix(4096))
            message = text.isEmpty ? "the server answered with status \(response.status)" : text
        }
    }

    /// HTML without its tags, styles and white space.
    private static func plainText(_ bytes: ArraySlice<UInt8>) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        for element in ["style", "script", "head"] {
            while let start = text.range(of: "<\(element)", options: .caseInsensitive) {
                let rest = start.lowerBound..<text.endIndex
                let end = text.range(of: "</\(element)>", options: .caseInsensitive, range: rest)
                text.removeSubrange(start.lowerBound..<(end?.upperBound ?? text.endIndex))
            }
        }
        text = text.replacing(/<[^>]*>/, with: " ")
        let words = text.split { $0.isWhitespace || $0.isNewline || $0 == "\0" }
        return String(words.joined(separator: " ").prefix(400))
    }
}
