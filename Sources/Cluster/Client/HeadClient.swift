internal import Crypto
import Foundation
import HTTPClient

/// Speaks to a head over HTTP: what `job …` and `manta status` use.
package final class HeadClient: Sendable {
    /// Without a trailing slash.
    package let address: String
    private let token: String?
    /// This program's, told to the head.
    private let version: String
    /// Who asks for what is to be remembered.
    private let user: String?
    private let client: HTTPClient

    /// - Parameter user: "ada@laptop"; told when jobs and tasks are stopped. One that no head takes
    ///   is left out.
    package init(
        address: String, token: String?, version: String = "of an unknown version",
        user: String? = nil
    ) {
        self.version = version
        self.user = user.flatMap { StopRequest.isName($0) ? $0 : nil }
        self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
        self.token = token
        client = HTTPClient()
    }

    // MARK: The cluster

    package func cluster() async throws -> ClusterDetails {
        try decode(await send(.get, "/api/cluster"))
    }

    // MARK: Uploading

    /// Uploads bytes unless the head has them; answers their digest.
    package func upload(_ bytes: [UInt8]) async throws -> String {
        let digest = SHA256.hash(data: Data(bytes)).hex
        let known = try await client.send(request(.head, "/api/blobs/\(digest)"))
        if known.status == 200 { return digest }
        try check(known, allowing: [404])
        var put = request(.put, "/api/blobs/\(digest)", body: .bytes(bytes))
        put.timeout = .seconds(600)
        try check(try await client.send(put))
        return digest
    }

    // MARK: Jobs

    /// Submits; safe to repeat when the request names its `submissionID`.
    package func submit(_ submission: SubmitRequest) async throws -> SubmitReply {
        let body = try JSONEncoder().encode(submission)
        return try decode(await send(.post, "/api/jobs/", body: .bytes(Array(body))))
    }

    package func job(_ id: String) async throws -> JobDetails {
        try decode(await send(.get, "/api/jobs/\(path(id))"))
    }

    /// The job once it is over; nil when it is not by `deadline`.
    ///
    /// A lost head is asked again for `patience`.
    package func ended(
        _ id: String, by deadline: ContinuousClock.Instant? = nil,
        patience: Duration = .seconds(120)
    ) async throws -> JobDetails? {
        var lostSince: ContinuousClock.Instant?
        while true {
            do {
                let job = try await job(id)
                if job.status.isTerminal { return job }
                lostSince = nil
            } catch  where HeadClient.mayPass(error) {
                let since = lostSince ?? .now
                lostSince = since
                guard ContinuousClock.now - since < patience else { throw error }
            }
            if let deadline, ContinuousClock.now >= deadline { return nil }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static func mayPass(_ error: any Error) -> Bool {
        switch error {
        case let failure as HeadFailure: failure.status >= 500
        case let failure as HTTPClientError: failure.isTransient
        default: false
        }
    }

    package func jobs() async throws -> [JobDetails] {
        try decode(await send(.get, "/api/jobs/"))
    }

    /// False when the job was over already.
    package func stop(_ id: String) async throws -> Bool {
        let reply: [String: Bool] = try decode(
            await send(.post, "/api/jobs/\(path(id))/stop", body: try stopBody()))
        return reply["stopped"] ?? false
    }

    func stopBody() throws -> HTTPRequest.Body {
        .bytes(Array(try JSONEncoder().encode(StopRequest(by: user))))
    }

    /// The job's result as JSON text.
    package func result(of id: String) async throws -> [UInt8] {
        try await send(.get, "/api/jobs/\(path(id))/result").body
    }

    /// Phases, log lines and the end of a job, as they come.
    ///
    /// A lost head is asked again, after the last line that arrived, for `patience`.
    package func events(
        of id: String, follows: Bool, patience: Duration = .seconds(120)
    ) -> AsyncThrowingStream<JobEvent, any Error> {
        let reader = EventReader(client: self, id: id, follows: follows, patience: patience)
        return AsyncThrowingStream { try await reader.next() }
    }

    // MARK: One request

    func send(
        _ method: HTTPRequest.Method, _ path: String, body: HTTPRequest.Body = .none
    ) async throws -> HTTPResponse {
        let response = try await client.send(request(method, path, body: body))
        try check(response)
        return response
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, body: HTTPRequest.Body = .none
    ) -> HTTPRequest {
        var headers = HTTPHeaders()
        headers.append(name: "Accept", value: "application/json")
        headers.append(name: HeadAPI.header, value: "\(HeadAPI.current) \(version)")
        if case .bytes = body { headers.append(name: "Content-Type", value: "application/json") }
        if let token { headers.append(name: "Authorization", value: "Bearer \(token)") }
        return HTTPRequest(
            method, address + path, headers: headers, body: body, timeout: .seconds(30),
            bodyMax: 256 << 20)
    }

    /// - Throws: the head's own words as `HeadFailure`.
    private func check(_ response: HTTPResponse, allowing others: Set<Int> = []) throws {
        if response.isSuccess || others.contains(response.status) { return }
        if let failure = try? JSONDecoder().decode(HeadFailure.self, from: Data(response.body)) {
            throw failure
        }
        if response.status == 401 {
            throw HeadFailure(
                401, "unauthenticated",
                "\(address) refuses the token. `manta env` prints the settings of this machine's.")
        }
        throw HeadFailure(
            response.status, "unexpected",
            "\(address) answered \(response.status): \(response.bodyText.prefix(300))")
    }

    func decode<Value: Decodable>(_ response: HTTPResponse) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(response.body))
        } catch {
            throw HeadFailure(
                response.status, "unexpected",
                "\(address) answered what no head of this version answers; is it a head?")
        }
    }

    /// An id or cursor as part of a URL.
    func path(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: HeadClient.plainCharacters) ?? ""
    }

    private static let plainCharacters = CharacterSet(
        charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

    /// The open event stream of one follower.
    func openEvents(
        of id: String, after cursor: String?, follows: Bool
    ) async throws -> HTTPStreamedResponse {
        var query: [String] = follows ? [] : ["follow=0"]
        if let cursor { query.append("after=\(path(cursor))") }
        let suffix = query.isEmpty ? "" : "?" + query.joined(separator: "&")
        var request = request(.get, "/api/jobs/\(path(id))/events\(suffix)")
        request.timeout = nil
        // The head says something at least every 10 s.
        request.idleTimeout = .seconds(30)
        let response = try await client.stream(request)
        if !response.isSuccess {
            let body = try await response.collect(upTo: 64 << 10)
            try check(HTTPResponse(status: response.status, body: body))
        }
        return response
    }
}
