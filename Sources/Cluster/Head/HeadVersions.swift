import HTTPTypes
import Hummingbird

/// Which forms of the head's HTTP API our programs speak.
enum HeadAPI {
    /// Raised when a route changes so that an older client or head would misread it.
    static let current = 1
    /// What a head understands: its own form and the one before.
    static let accepted = max(1, current - 1)...current
    /// Sent by our clients: "1 0.2.0", the form's number and the client's version. Others, Ray's
    /// among them, send none and are taken at their word.
    static let header = "Manta-API"
}

/// Refuses clients of ours whose form of the API this head does not know, before they misread it.
struct HeadVersions<Context: RequestContext>: RouterMiddleware {
    /// The head's own.
    let version: String

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let name = HTTPField.Name(HeadAPI.header), let text = request.headers[name] else {
            return try await next(request, context)
        }
        let words = text.split(separator: " ", maxSplits: 1)
        if let number = words.first.flatMap({ Int($0) }), HeadAPI.accepted.contains(number) {
            return try await next(request, context)
        }
        let theirs = String((words.count > 1 ? words[1] : "of another version").prefix(64))
        throw HeadFailure(
            400, "version_skew",
            "this head is manta \(version) and speaks API \(HeadAPI.current); the client is manta "
                + "\(theirs) and speaks API \(String(words.first ?? "?").prefix(16)). Use the "
                + "command line of manta \(version), or update the head")
    }
}
