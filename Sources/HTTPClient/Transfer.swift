internal import CCurl
internal import Synchronization

/// What a response begins with.
struct ResponseHead: Sendable {
    var status = 0
    var headers: HTTPHeaders = [:]
}

/// One request on its way: the easy handle, what it sends from and writes into, and who waits.
///
/// Made by the caller's task, then touched by the loop's thread only; what both may touch is
/// `shared`.
final class Transfer: @unchecked Sendable {
    /// All header bytes of one answer together.
    static let headerBytesMax = 128 << 10

    let request: HTTPRequest
    let url: HTTPURL
    let sink: any BodySink
    let source: BodySource?

    // The loop's thread only.
    var easy: EasyHandle
    var head = ResponseHead()
    var headerByteCount = 0
    /// What a callback refused, in place of libcurl's "callback failed".
    var refusal: HTTPClientError?
    private var hasHead = false

    private struct Shared {
        var isCancelled = false
        var onHead: (@Sendable (Result<ResponseHead, HTTPClientError>) -> Void)?
        var onEnd: (@Sendable (Result<ResponseHead, HTTPClientError>) -> Void)?
    }
    private let shared = Mutex(Shared())

    /// - Parameters:
    ///   - onHead: called once, with the header or with the failure before it.
    ///   - onEnd: called once, after the last byte or failure, and after `onHead`.
    init(
        _ request: HTTPRequest, into sink: any BodySink, configuration: HTTPClientConfiguration
    ) throws(HTTPClientError) {
        try request.headers.check()
        url = try HTTPURL(request.url)
        self.request = request
        self.sink = sink
        switch request.body {
        case .file(let path): source = try BodySource(path: path)
        case .part(let path, let offset, let count):
            source = try BodySource(path: path, part: (offset, count))
        case .none, .bytes: source = nil
        }
        try request.signature?.check()
        guard let easy = EasyHandle() else { throw .closed }
        self.easy = easy
        prepare(configuration)
    }

    func observe(
        onHead: (@Sendable (Result<ResponseHead, HTTPClientError>) -> Void)? = nil,
        onEnd: @escaping @Sendable (Result<ResponseHead, HTTPClientError>) -> Void
    ) {
        shared.withLock {
            $0.onHead = onHead
            $0.onEnd = onEnd
        }
    }

    var isCancelled: Bool { shared.withLock { $0.isCancelled } }

    func markCancelled() {
        shared.withLock { $0.isCancelled = true }
    }

    /// The blank line after the final header was read.
    func headArrived() {
        guard !hasHead else { return }
        hasHead = true
        let onHead = shared.withLock { shared in
            defer { shared.onHead = nil }
            return shared.onHead
        }
        onHead?(.success(head))
    }

    /// Tells both observers, those that were not told yet.
    func end(_ result: Result<ResponseHead, HTTPClientError>) {
        let (onHead, onEnd) = shared.withLock { shared in
            defer {
                shared.onHead = nil
                shared.onEnd = nil
            }
            return (shared.onHead, shared.onEnd)
        }
        onHead?(result)
        onEnd?(result)
    }

    /// What libcurl's result means to the caller.
    func result(for code: CURLcode) -> Result<ResponseHead, HTTPClientError> {
        if isCancelled { return .failure(.cancelled) }
        if let refusal { return .failure(refusal) }
        if let failure = source?.failure { return .failure(failure) }
        guard code == CURLE_OK else { return .failure(failure(for: code)) }
        return .success(head)
    }

    private func failure(for code: CURLcode) -> HTTPClientError {
        let cause = easy.reason(for: code)
        // Set once a connection stands and the request begins to be sent.
        let wasSent = easy.size(CURLINFO_PRETRANSFER_TIME_T) > 0
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT:
            return .cannotConnect(host: url.authority, cause: cause)
        case CURLE_OPERATION_TIMEDOUT:
            return wasSent
                ? .timedOut(host: url.authority)
                : .cannotConnect(host: url.authority, cause: cause)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED:
            return .tls(host: url.authority, cause: cause)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_TOO_MANY_REDIRECTS, CURLE_WEIRD_SERVER_REPLY,
            CURLE_BAD_CONTENT_ENCODING, CURLE_URL_MALFORMAT:
            return .malformedResponse(host: url.authority, cause: cause)
        default:
            return wasSent
                ? .connectionLost(host: url.authority, cause: cause)
                : .cannotConnect(host: url.authority, cause: cause)
        }
    }
}
