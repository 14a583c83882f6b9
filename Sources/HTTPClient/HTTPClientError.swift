/// Why there is no answer. An answer of any status is a response and no error.
///
/// Hosts, paths and causes are safe to show: neither credentials nor queries of a URL get here.
package enum HTTPClientError: Error, Sendable, Hashable {
    case invalidURL(String, reason: String)
    case invalidHeader(name: String, reason: String)
    /// No connection was made: the server has not seen the request.
    case cannotConnect(host: String, cause: String)
    /// The host, or one that it redirects to, is no machine of the public internet, and the request
    /// asked for those only. Nothing was sent there.
    case addressRefused(host: String, address: String)
    /// The connection ended early: the server may have acted on the request or not.
    case connectionLost(host: String, cause: String)
    /// No complete answer within the time given: the server may have acted on the request or not.
    case timedOut(host: String)
    /// Certificates or the TLS handshake. The server has not seen the request.
    case tls(host: String, cause: String)
    /// The response body is longer than `limit` bytes.
    case tooLarge(limit: Int)
    /// The answer is not HTTP, or has more header bytes or redirects than are accepted.
    case malformedResponse(host: String, cause: String)
    /// A local file: the body to send, or the place of a download.
    case fileFailed(path: String, cause: String)
    case cancelled
    /// The client was shut down.
    case closed

    /// Whether the server surely has not acted on the request, so that even a request which must
    /// not arrive twice can be sent again.
    package var isSurelyUnprocessed: Bool {
        switch self {
        case .cannotConnect, .addressRefused, .tls, .invalidURL, .invalidHeader: true
        default: false
        }
    }

    /// Whether the same request may succeed later.
    package var isTransient: Bool {
        switch self {
        case .cannotConnect, .connectionLost, .timedOut: true
        default: false
        }
    }
}

extension HTTPClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidURL(let url, let reason): "The URL '\(url)' is not usable: \(reason)."
        case .invalidHeader(let name, let reason): "The header '\(name)' is refused: \(reason)."
        case .cannotConnect(let host, let cause): "Cannot connect to \(host): \(cause)."
        case .addressRefused(let host, let address):
            "\(host) is at \(address), which is no address of the public internet."
        case .connectionLost(let host, let cause): "The connection to \(host) was lost: \(cause)."
        case .timedOut(let host): "\(host) did not answer in time."
        case .tls(let host, let cause): "TLS with \(host) failed: \(cause)."
        case .tooLarge(let limit): "The response is larger than \(limit) bytes."
        case .malformedResponse(let host, let cause): "\(host) sent no valid HTTP: \(cause)."
        case .fileFailed(let path, let cause): "The file \(path) cannot be used: \(cause)."
        case .cancelled: "The request was cancelled."
        case .closed: "The HTTP client is shut down."
        }
    }
}
