import Hummingbird
import NIOCore
import Telemetry

/// What the handlers need of a request's head, taken out of its fields in one pass.
struct CallHead: Sendable {
    let method: String
    /// Without the query.
    let path: Substring
    let query: Substring?
    let requestID: String
    var caller = AccessRules.Caller()
    var contentType: String?
    var contentEncoding: String?
    var contentLength: Int?
    var isChunked = false
    /// `Inference-Header-Content-Length`: bytes of JSON before binary tensors.
    var inferenceHeaderLength: String?
    /// The caller's place in a trace (W3C Trace Context), where it is well-formed.
    var traceParent: String?
    var forwardedPrefix: String?
    var forwardedHost: String?
    var forwardedProtocol: String?
    /// The peer is a proxy whose `X-Forwarded-*` fields count.
    let isFromTrustedProxy: Bool

    init(_ request: Request, peer: String?, trustedProxies: Set<String>) {
        method = request.head.method.rawValue
        let target = request.head.path ?? "/"
        let question = target.firstIndex(of: "?")
        path = target[..<(question ?? target.endIndex)]
        query = question.map { target[target.index(after: $0)...] }
        isFromTrustedProxy = peer.map(trustedProxies.contains) ?? false
        caller.host = request.head.authority
        var label: String?
        for field in request.headers {
            switch field.name.canonicalName {
            case "x-request-id": label = field.value
            case "content-type": contentType = field.value
            case "content-encoding": contentEncoding = field.value
            case "content-length": contentLength = Int(field.value)
            case "transfer-encoding": isChunked = true
            case "inference-header-content-length": inferenceHeaderLength = field.value
            case "traceparent" where Self.isTraceParent(field.value): traceParent = field.value
            case "origin": caller.origin = field.value
            case "sec-fetch-site": caller.fetchSite = field.value.lowercased()
            case "authorization": caller.authorization = field.value
            case "x-forwarded-prefix": forwardedPrefix = field.value
            case "x-forwarded-host": forwardedHost = field.value
            case "x-forwarded-proto": forwardedProtocol = field.value
            default: continue
            }
        }
        requestID = RequestLabel(header: label).description
    }

    /// Where the client sees the root of our paths: scheme, host and what a proxy put before them.
    func publicBase(defaultHost: String) -> String {
        var scheme = "http"
        var host = caller.host ?? defaultHost
        var prefix = ""
        if isFromTrustedProxy {
            if forwardedProtocol?.lowercased() == "https" { scheme = "https" }
            if let forwarded = forwardedHost { host = forwarded }
            prefix = plainForwardedPrefix
        }
        if !AccessRules.isPlain(host: host) { host = defaultHost }
        return "\(scheme)://\(host)\(prefix)"
    }

    /// `X-Forwarded-Prefix` from a trusted proxy, as a plain path without a trailing slash, or "".
    var plainForwardedPrefix: String {
        guard isFromTrustedProxy, var prefix = forwardedPrefix,
            GatewayConfiguration.isPlainPath(prefix)
        else { return "" }
        while prefix.last == "/" { prefix.removeLast() }
        return prefix
    }

    /// What a key of the query is given; the last one of several counts.
    func queryValue(_ key: String) -> String? {
        guard let query else { return nil }
        let pair = query.split(separator: "&").last { $0.prefix { $0 != "=" } == key }
        return pair.map { String($0.dropFirst(key.count + 1)) }
    }

    /// `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, neither id all zeros.
    static func isTraceParent(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 32, 16, 2], parts[0] == "00" else { return false }
        let isHex = parts.allSatisfy { part in
            part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        return isHex && parts[1...2].allSatisfy { part in part.contains { $0 != "0" } }
    }

    /// True when the body is, or may become, large enough that only a few are held at once.
    var mayBeLarge: Bool { isChunked || (contentLength ?? 0) > 64 << 10 }

    /// What the body's type says about reading it as JSON.
    enum BodyType {
        case json
        /// Not declared as JSON, but read as such when it begins like it: bare `curl -d`.
        case jsonIfItLooksLikeIt
        case other
    }

    var bodyType: BodyType {
        guard let media else { return .json }
        guard media.isUnicode else { return .other }
        switch media.type {
        case "application/json", "": return .json
        case "application/x-www-form-urlencoded", "text/plain": return .jsonIfItLooksLikeIt
        default:
            let isJSON = media.type.hasPrefix("application/") && media.type.hasSuffix("+json")
            return isJSON ? .json : .other
        }
    }

    /// True for a table as CSV, in UTF-8.
    var isCSV: Bool {
        guard let media else { return false }
        return media.type == "text/csv" && media.isUnicode
    }

    /// The content type in lower case, without its parameters; nil where there is none.
    private var media: (type: String, isUnicode: Bool)? {
        guard let contentType else { return nil }
        let parts = contentType.lowercased().split(separator: ";")
        let type = parts.first.map { String($0).filter { $0 != " " } } ?? ""
        let charsets = parts.dropFirst().map { $0.filter { $0 != " " && $0 != "\"" } }
            .filter { $0.hasPrefix("charset=") }
        let isUnicode = charsets.allSatisfy { $0 == "charset=utf-8" || $0 == "charset=us-ascii" }
        return (type, isUnicode)
    }
}

/// What Hummingbird makes for each request: only the peer's address is kept.
struct CallContext: InitializableFromSource {
    let peer: String?

    init(source: ApplicationRequestContextSource) {
        peer = source.channel.remoteAddress?.ipAddress
    }
}
