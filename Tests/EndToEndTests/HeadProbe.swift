import HTTPClient

/// Raw requests to a cluster's head, for what no command shows.
struct HeadProbe {
    struct Reply {
        let status: Int
        let text: String
        let headers: HTTPHeaders
    }

    private let base: String
    private let token: String?

    init(_ cluster: TestCluster, token: String? = "test-token") {
        base = "http://127.0.0.1:\(cluster.headPort)"
        self.token = token
    }

    /// Nil while nothing listens.
    static func status(_ url: String) async throws -> Int? {
        try? await HTTPClient().send(HTTPRequest(.get, url, timeout: .seconds(2))).status
    }

    func get(_ path: String) async throws -> Reply { try await send(.get, path) }

    /// - Parameter headers: over the token and the type of the body, JSON.
    func post(
        _ path: String, _ body: String, headers: [String: String] = [:]
    ) async throws -> Reply {
        try await send(
            .post, path,
            headers: headers.merging(["Content-Type": "application/json"]) { own, _ in own },
            body: .bytes(Array(body.utf8)))
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: [String: String] = [:],
        body: HTTPRequest.Body = .none
    ) async throws -> Reply {
        var all = HTTPHeaders()
        if let token { all.append(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { all.append(name: name, value: value) }
        let response = try await HTTPClient().send(
            HTTPRequest(method, base + path, headers: all, body: body, timeout: .seconds(30)))
        return Reply(
            status: response.status, text: response.bodyText, headers: response.headers)
    }
}
