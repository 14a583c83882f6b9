internal import HTTPClient

/// The objects of one bucket below one prefix, at AWS or any server that speaks S3.
///
/// Keys are given without the prefix. Every request is signed; what a server says may pass is tried
/// again. An object appears whole or not at all: that is S3's own promise for a put and for a
/// multipart upload.
package final class Bucket: Sendable {
    package let configuration: BucketConfiguration
    private let client: HTTPClient

    package init(_ configuration: BucketConfiguration) {
        self.configuration = configuration
        var settings = HTTPClientConfiguration()
        settings.authoritiesPath = configuration.authoritiesPath
        client = HTTPClient(settings)
    }

    /// What is known of an object without its bytes.
    package struct Object: Sendable, Hashable {
        package let key: String
        package let sizeInBytes: Int64
        /// Names this version of it, with quotes, as the server wrote it.
        package let version: String
    }

    /// Nil when there is no such object.
    package func object(_ key: String) async throws(BucketError) -> Object? {
        let response = try await send("head", request(.head, key), key, allowing: [404])
        guard response.status != 404 else { return nil }
        return Object(
            key: key, sizeInBytes: response.headers["Content-Length"].flatMap(Int64.init) ?? 0,
            version: response.headers["ETag"] ?? "")
    }

    /// Stores bytes unless there is an object already; answers whether they were stored.
    ///
    /// - Parameter sha256: of the bytes, lower-case hex. The server compares.
    package func put(
        _ bytes: [UInt8], at key: String, sha256: String
    ) async throws(BucketError) -> Bool {
        try await put(.bytes(bytes), at: key, sha256: sha256)
    }

    /// As `put`, for a file, which must not change meanwhile; a large one goes in parts.
    package func put(
        fileAt path: String, sizeInBytes: Int64, at key: String, sha256: String
    ) async throws(BucketError) -> Bool {
        guard sizeInBytes > configuration.partInBytes else {
            return try await put(.file(path: path), at: key, sha256: sha256)
        }
        return try await putParts(
            ofFileAt: path, sizeInBytes: sizeInBytes, at: key, sha256: sha256)
    }

    /// - Throws: `.missing`; `.notSent(.tooLarge)` beyond `sizeMax` bytes.
    package func get(_ key: String, sizeMax: Int) async throws(BucketError) -> [UInt8] {
        var request = request(.get, key)
        // What a refusal says must come through, however small the object may be.
        request.bodyMax = max(sizeMax, 64 << 10)
        let body = try await send("get", request, key).body
        guard body.count <= sizeMax else {
            throw failure("get", key, .notSent(.tooLarge(limit: sizeMax)))
        }
        return body
    }

    /// Writes an object to a new file at `path`; after any failure no file is left.
    package func get(
        _ key: String, toFileAt path: String, sizeMax: Int64
    ) async throws(BucketError) {
        let request = request(.get, key)
        let response: HTTPResponse
        do throws(HTTPClientError) {
            response = try await client.download(
                request, to: path, sizeMax: Int(sizeMax), retrying: policy)
        } catch {
            throw failure("get", key, .notSent(error))
        }
        guard response.isSuccess else { throw failure("get", key, .init(response)) }
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// - Parameter version: only this version of it; nil: whatever is there.
    /// - Throws: `.conflict` when another version is there.
    package func remove(_ key: String, version: String? = nil) async throws(BucketError) {
        var request = request(.delete, key)
        request.headers["If-Match"] = version
        // Small, and somebody waits for its end.
        request.timeout = .seconds(20)
        _ = try await send("delete", request, key, allowing: [404])
    }

    /// Copies an object of at most 5 GiB inside the server.
    package func copy(_ key: String, to other: String) async throws(BucketError) {
        var request = request(.put, other)
        let segments = "\(configuration.bucket)/\(configuration.prefix)\(key)"
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        request.headers["x-amz-copy-source"] = "/" + PercentEncoding.path(segments)
        let response = try await send("copy", request, key)
        try checkBody(response, "copy", key)
    }

    /// Objects whose keys begin with `start`, in the order of keys, at most 1,000.
    ///
    /// - Parameter last: the key after which to go on.
    package func list(
        _ start: String = "", after last: String? = nil, limit: Int = 1_000
    ) async throws(BucketError) -> [Object] {
        let prefix = configuration.prefix
        var query = [
            (name: "list-type", value: "2"), (name: "prefix", value: prefix + start),
            (name: "max-keys", value: "\(min(max(limit, 1), 1_000))"),
        ]
        if let last { query.append((name: "start-after", value: prefix + last)) }
        let response = try await send("list", request(.get, "", query), start)
        return BucketAnswer(response.bodyText).elements("Contents").compactMap { entry in
            guard let key = entry.first("Key"), key.hasPrefix(prefix),
                let size = entry.first("Size").flatMap(Int64.init)
            else { return nil }
            return Object(
                key: String(key.dropFirst(prefix.count)), sizeInBytes: size,
                version: entry.first("ETag") ?? "")
        }
    }

    // MARK: Requests

    private func put(
        _ body: HTTPRequest.Body, at key: String, sha256: String
    ) async throws(BucketError) -> Bool {
        var request = request(.put, key)
        request.body = body
        request.headers["x-amz-content-sha256"] = sha256
        request.headers["Content-Type"] = "application/octet-stream"
        return try await conditionally("put", request, key).status < 300
    }

    /// Sends a request that must replace nothing; 412 when there is an object.
    ///
    /// A server that does not know the condition (501) replaces what is there by what is sent.
    func conditionally(
        _ operation: String, _ request: HTTPRequest, _ key: String
    ) async throws(BucketError) -> HTTPResponse {
        var request = request
        request.headers["If-None-Match"] = "*"
        let response = try await send(operation, request, key, allowing: [412, 409, 501])
        switch response.status {
        case 501:
            request.headers["If-None-Match"] = nil
            return try await send(operation, request, key)
        case 409:
            // Two puts at once: the server asks to try again; then one of them stands.
            return try await send(operation, request, key, allowing: [412])
        default: return response
        }
    }

    func request(
        _ method: HTTPRequest.Method, _ key: String, _ query: [(name: String, value: String)] = []
    ) -> HTTPRequest {
        var request = HTTPRequest(
            method, configuration.url(of: key, query: query),
            headers: ["x-amz-content-sha256": Bucket.digestOfNothing], timeout: nil)
        request.idleTimeout = configuration.idleTimeout
        let credentials = configuration.credentials
        request.signature = HTTPSignature(
            accessKey: credentials.accessKey, secretKey: credentials.secretKey,
            sessionToken: credentials.sessionToken, region: configuration.region, service: "s3")
        return request
    }

    func send(
        _ operation: String, _ request: HTTPRequest, _ key: String,
        allowing others: Set<Int> = []
    ) async throws(BucketError) -> HTTPResponse {
        let response: HTTPResponse
        do throws(HTTPClientError) {
            response = try await client.send(request, retrying: policy)
        } catch {
            throw failure(operation, key, .notSent(error))
        }
        if response.isSuccess { return response }
        let cause = BucketError.Cause(response)
        // A bucket that is not there also answers 404; only an object may be missing in silence.
        guard others.contains(response.status), cause != .noBucket else {
            throw failure(operation, key, cause)
        }
        return response
    }

    /// Some failures come as 200 with an error in the body, because the answer began before it.
    func checkBody(
        _ response: HTTPResponse, _ operation: String, _ key: String
    ) throws(BucketError) {
        guard response.bodyText.contains("<Error>") else { return }
        var failed = response
        failed.status = 500
        throw failure(operation, key, .init(failed))
    }

    func failure(
        _ operation: String, _ key: String, _ cause: BucketError.Cause
    ) -> BucketError {
        BucketError(
            operation: operation, bucket: configuration.bucket,
            key: configuration.prefix + key, cause: cause)
    }

    private var policy: HTTPRetryPolicy {
        var policy = HTTPRetryPolicy.repeatable
        policy.attemptsMax = configuration.attemptsMax
        return policy
    }

    /// SHA-256 of no bytes: what a request without a body is signed with.
    static let digestOfNothing =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}
