import HTTPClient

/// Raw requests to a cluster's head, for what no command shows.
struct HeadProbe {
    struct Reply {
        let status: Int
        let text: String
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

    func get(_ path: String) async throws -> Reply {
        var headers = HTTPHeaders()
        if let token { headers.append(name: "Authorization", value: "Bearer \(token)") }
        let response = try await HTTPClient().send(HTTPRequest(.get, base + path, headers: headers))
        return Reply(status: response.status, text: response.bodyText)
    }
}
