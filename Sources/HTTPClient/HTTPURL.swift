internal import CCurl

/// A URL that libcurl's own parser accepts, taken apart: what is checked here is what is requested.
package struct HTTPURL: Sendable, Hashable {
    package let scheme: String
    package let host: String
    /// As written, or the scheme's own.
    package let port: Int
    package let path: String
    package let user: String?
    package let password: String?

    package init(_ text: String) throws(HTTPClientError) {
        guard text.utf8.count <= HTTPURL.lengthMax else {
            throw .invalidURL("…", reason: "it is longer than \(HTTPURL.lengthMax) bytes")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidURL(
                HTTPURL.redact(text), reason: "it has a space, control or non-ASCII character")
        }
        let parts = curl_url()
        defer { curl_url_cleanup(parts) }
        guard parts != nil, curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK else {
            throw .invalidURL(HTTPURL.redact(text), reason: "it is malformed")
        }
        let scheme = HTTPURL.part(CURLUPART_SCHEME, of: parts) ?? ""
        guard scheme == "http" || scheme == "https" else {
            throw .invalidURL(HTTPURL.redact(text), reason: "only http and https are supported")
        }
        guard let host = HTTPURL.part(CURLUPART_HOST, of: parts), !host.isEmpty else {
            throw .invalidURL(HTTPURL.redact(text), reason: "it has no host")
        }
        self.scheme = scheme
        self.host = host
        port =
            HTTPURL.part(CURLUPART_PORT, of: parts).flatMap(Int.init)
            ?? (scheme == "https" ? 443 : 80)
        path = HTTPURL.part(CURLUPART_PATH, of: parts) ?? "/"
        user = HTTPURL.part(CURLUPART_USER, of: parts, decoded: true)
        password = HTTPURL.part(CURLUPART_PASSWORD, of: parts, decoded: true)
    }

    /// `host:port`, for messages.
    package var authority: String { "\(host):\(port)" }
    /// Scheme, host, port and path: fit to be shown, without credentials and query.
    package var description: String { "\(scheme)://\(authority)\(path)" }

    /// Scheme, host, path, and the port where it is not the scheme's own: what requests are built
    /// on.
    package var base: String {
        let isOwnPort = port == (scheme == "https" ? 443 : 80)
        return "\(scheme)://\(host)" + (isOwnPort ? "" : ":\(port)") + path
    }

    /// The absolute URL that a `Location` means in an answer to a request of `url`.
    ///
    /// - Throws: `.invalidURL`, also for what is neither http nor https.
    package static func following(
        _ location: String, from url: String
    ) throws(HTTPClientError) -> String {
        _ = try HTTPURL(url)
        let parts = curl_url()
        defer { curl_url_cleanup(parts) }
        // Set upon an URL, a relative one is resolved against it (RFC 3986, 5.2).
        guard location.utf8.count <= lengthMax, parts != nil,
            curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK,
            curl_url_set(parts, CURLUPART_URL, location, 0) == CURLUE_OK,
            let next = part(CURLUPART_URL, of: parts)
        else { throw .invalidURL(redact(location), reason: "it is malformed") }
        _ = try HTTPURL(next)
        return next
    }

    package var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
            || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    static let lengthMax = 8192

    /// `text` without anything that may be a secret: what stands before an `@`, and the query.
    private static func redact(_ text: String) -> String {
        var shown = Substring(text)
        if let query = shown.firstIndex(where: { $0 == "?" || $0 == "#" }) {
            shown = shown[..<query]
        }
        if let at = shown.lastIndex(of: "@") {
            let start = shown.firstRange(of: "://")?.upperBound ?? shown.startIndex
            guard start <= at else { return String(shown.prefix(200)) }
            shown = shown[..<start] + shown[shown.index(after: at)...]
        }
        return String(shown.prefix(200))
    }

    private static func part(
        _ part: CURLUPart, of url: OpaquePointer?, decoded: Bool = false
    ) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let flags = decoded ? UInt32(CURLU_URLDECODE) : 0
        guard curl_url_get(url, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
