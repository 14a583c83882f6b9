/// One request, complete before it is sent.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable, Hashable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"

        /// Whether HTTP promises that a second delivery changes nothing (RFC 9110, 9.2.2).
        package var isIdempotent: Bool {
            self != .post && self != .patch
        }
    }

    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A regular file, read while it is sent. It must not change meanwhile.
        case file(path: String)
        /// `count` bytes of such a file, beginning with the byte at `offset`.
        case part(path: String, offset: Int64, count: Int64)
    }

    package var method: Method
    /// Absolute, `http` or `https`. `user:password@` becomes basic authentication.
    package var url: String
    package var headers: HTTPHeaders
    package var body: Body
    /// From the call until the last byte. `nil` waits for ever: only for streams somebody watches.
    package var timeout: Duration?
    /// The transfer ends with `timedOut` when nothing at all arrives for so long.
    package var idleTimeout: Duration?
    /// A longer response body ends the transfer with `tooLarge`. Not used for streams.
    package var bodyMax: Int
    /// How many redirects are followed. They never leave http and https, nor https for http.
    package var redirectsMax = 0
    /// Whether only addresses of the public internet are connected to: for URLs that somebody else
    /// wrote. What a name resolves to is checked, not the name; no proxy is used, because it would
    /// hide the address; redirects are checked in the same way.
    package var refusesPrivateAddresses = false
    /// Whether the server may see this request twice. If not, it goes out on a connection of its
    /// own: libcurl silently sends a request again when a reused connection turns out to be closed,
    /// and nobody can tell whether the server had acted on the first one.
    package var isRepeatable: Bool
    /// Signs the request as AWS asks (Signature Version 4); nil: it is sent as it is.
    package var signature: HTTPSignature?

    package init(
        _ method: Method = .get, _ url: String, headers: HTTPHeaders = [:], body: Body = .none,
        timeout: Duration? = .seconds(120), bodyMax: Int = 16 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.bodyMax = bodyMax
        self.isRepeatable = method.isIdempotent
    }
}
