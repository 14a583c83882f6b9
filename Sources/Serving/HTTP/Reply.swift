/// What a handler answers: a status, a body and how to read it. The edge adds the headers all
/// share.
package struct Reply: Sendable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]
    /// Further headers by name.
    package var headers: [(name: String, value: String)] = []
    /// Rows that this reply predicts.
    package var rowCount = 0
    /// Why no prediction was made, as `manta_predictions_rejected_total` names it.
    package var rejection: String?

    static let json = "application/json"
    static let problemJSON = "application/problem+json"

    init(status: Int = 200, contentType: String = Reply.json, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    init(status: Int = 200, contentType: String, text: String) {
        self.init(status: status, contentType: contentType, body: Array(text.utf8))
    }

    /// FastAPI's plain error: `{"detail": "…"}`.
    static func detail(_ status: Int, _ text: String) -> Reply {
        var writer = JSONWriter(capacity: 128)
        writer.openObject()
        writer.field("detail", text)
        writer.closeObject()
        return Reply(status: status, body: writer.bytes)
    }

    /// FastAPI's 422 list, already written.
    static func validation(_ body: [UInt8]) -> Reply { Reply(status: 422, body: body) }

    /// Notes why no prediction was made.
    func rejected(_ reason: String) -> Reply {
        var copy = self
        copy.rejection = reason
        return copy
    }

    func with(header name: String, _ value: String) -> Reply {
        var copy = self
        copy.headers.append((name, value))
        return copy
    }
}

/// An error outside the protocol surfaces, as `application/problem+json` (RFC 9457).
struct Problem: Error {
    let status: Int
    /// A stable code: the last part of `type`.
    let code: String
    let title: String
    let detail: String
    /// The next step, where there is one: often a line to paste.
    var hint: String?
    /// Seconds after which trying again makes sense.
    var retryAfter: Int?

    func reply(requestID: String) -> Reply {
        var writer = JSONWriter(capacity: 512)
        writer.openObject()
        writer.field("type", "https://manta.dev/errors/\(code)")
        writer.field("title", title)
        writer.key("status")
        writer.integer(status)
        writer.field("detail", Echo.cut(detail, to: 8 << 10))
        writer.field("instance", "/requests/\(requestID)")
        writer.field("request_id", requestID)
        if let hint { writer.field("hint", Echo.cut(hint, to: 2 << 10)) }
        writer.closeObject()
        var reply = Reply(status: status, contentType: Reply.problemJSON, body: writer.bytes)
        if let retryAfter { reply.headers.append(("Retry-After", String(retryAfter))) }
        if status == 401 { reply.headers.append(("WWW-Authenticate", "Bearer")) }
        return reply
    }
}
