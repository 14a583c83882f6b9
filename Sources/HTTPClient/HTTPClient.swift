/// Sends HTTP/1.1 requests over libcurl from any task; one thread of its own does all the
/// transfers.
///
/// Connections are kept and used again. Cancelling the task that waits for an answer closes the
/// transfer. The thread ends when the last reference to the client is gone.
package final class HTTPClient: Sendable {
    // Clear also where another module has types of these names.
    package typealias Request = HTTPRequest
    package typealias Response = HTTPResponse
    package typealias RetryPolicy = HTTPRetryPolicy
    package typealias Failure = HTTPClientError

    private let configuration: HTTPClientConfiguration
    private let loop: TransferLoop
    private let clock: any Clock<Duration>
    private let chance: @Sendable () -> Double

    /// - Parameters:
    ///   - clock: measures the waits between attempts; transfers have libcurl's own.
    ///   - chance: numbers in 0..<1 that spread retries.
    package init(
        _ configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
        clock: any Clock<Duration> = ContinuousClock(),
        chance: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.configuration = configuration
        self.clock = clock
        self.chance = chance
        loop = TransferLoop(configuration)
    }

    deinit {
        loop.stop()
    }

    /// Sends one request once and answers with whatever status the server gave.
    package func send(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPResponse {
        let sink = MemorySink(limit: request.bodyMax)
        let head = try await complete(request, into: sink)
        return HTTPResponse(status: head.status, headers: head.headers, body: sink.bytes)
    }

    /// Sends a request until it is answered with something else than "later", or the policy ends
    /// it.
    ///
    /// The last answer or error stands, whatever it is.
    package func send(
        _ request: HTTPRequest, retrying policy: HTTPRetryPolicy
    ) async throws(HTTPClientError) -> HTTPResponse {
        try await retrying(policy) { () async throws(HTTPClientError) in try await send(request) }
    }

    /// `download(_:to:sizeMax:)`, each attempt from the beginning.
    package func download(
        _ request: HTTPRequest, to path: String, sizeMax: Int, retrying policy: HTTPRetryPolicy
    ) async throws(HTTPClientError) -> HTTPResponse {
        try await retrying(policy) { () async throws(HTTPClientError) in
            try await download(request, to: path, sizeMax: sizeMax)
        }
    }

    private func retrying(
        _ policy: HTTPRetryPolicy,
        _ attemptOnce: () async throws(HTTPClientError) -> HTTPResponse
    ) async throws(HTTPClientError) -> HTTPResponse {
        var attempt = 1
        while true {
            let outcome: Result<HTTPResponse, HTTPClientError>
            do throws(HTTPClientError) {
                outcome = .success(try await attemptOnce())
            } catch {
                outcome = .failure(error)
            }
            let delay = policy.delay(
                afterAttempt: attempt, endingWith: outcome, chance: chance())
            guard let delay else { return try outcome.get() }
            attempt += 1
            do {
                try await clock.sleep(for: delay)
            } catch {
                throw .cancelled
            }
        }
    }

    /// Writes a successful answer's body to a new file at `path`; the response then has no body.
    ///
    /// A file that is there already is an error. After any failure no file is left. The body of an
    /// answer other than 2xx comes in the response.
    package func download(
        _ request: HTTPRequest, to path: String, sizeMax: Int
    ) async throws(HTTPClientError) -> HTTPResponse {
        let sink = FileSink(path: path, limit: sizeMax, errorBodyMax: request.bodyMax)
        do throws(HTTPClientError) {
            let head = try await complete(request, into: sink)
            try sink.commit(status: head.status)
            return HTTPResponse(status: head.status, headers: head.headers, body: sink.errorBody)
        } catch {
            sink.discard()
            throw error
        }
    }

    /// Returns as soon as the header is there; the body follows chunk by chunk.
    package func stream(
        _ request: HTTPRequest
    ) async throws(HTTPClientError) -> HTTPStreamedResponse {
        let buffer = ChunkBuffer()
        let transfer = try Transfer(request, into: buffer, configuration: configuration)
        let head = try await run(transfer) { resume in
            transfer.observe(onHead: resume) { buffer.finish($0.map { _ in }) }
        }
        let reader = StreamReader(client: self, transfer: transfer, buffer: buffer)
        return HTTPStreamedResponse(
            status: head.status, headers: head.headers,
            chunks: AsyncThrowingStream { try await reader.next() })
    }

    fileprivate func cancel(_ transfer: Transfer) { loop.cancel(transfer) }
    fileprivate func resume(_ transfer: Transfer) { loop.resume(transfer) }

    private func complete(
        _ request: HTTPRequest, into sink: any BodySink
    ) async throws(HTTPClientError) -> ResponseHead {
        let transfer = try Transfer(request, into: sink, configuration: configuration)
        return try await run(transfer) { resume in transfer.observe(onEnd: resume) }
    }

    /// Starts a transfer and waits until the observer that `observe` sets is told.
    private func run(
        _ transfer: Transfer,
        observe: (@escaping @Sendable (Result<ResponseHead, HTTPClientError>) -> Void) -> Void
    ) async throws(HTTPClientError) -> ResponseHead {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                observe { continuation.resume(returning: $0) }
                loop.start(transfer)
            }
        } onCancel: {
            loop.cancel(transfer)
        }
        return try result.get()
    }
}

/// Takes a stream's chunks out for the one who reads it; without a reader the transfer ends.
private final class StreamReader: Sendable {
    private let client: HTTPClient
    private let transfer: Transfer
    private let buffer: ChunkBuffer

    init(client: HTTPClient, transfer: Transfer, buffer: ChunkBuffer) {
        self.client = client
        self.transfer = transfer
        self.buffer = buffer
    }

    deinit {
        client.cancel(transfer)
    }

    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await buffer.next { client.resume(transfer) }
        } onCancel: {
            client.cancel(transfer)
        }
    }
}
