import HTTPClient
import Synchronization

/// Asks for predictions one after the other, and counts those that fail.
final class PredictionCaller: Sendable {
    private let gateway: String
    private let tally = Mutex((asked: 0, failed: 0))

    init(_ gateway: String) { self.gateway = gateway }

    var counts: (asked: Int, failed: Int) { tally.withLock { $0 } }

    /// Until the task is cancelled.
    func run() async {
        let client = HTTPClient()
        let request = request("/predict", "{\"features\": [[1, 2]]}")
        while !Task.isCancelled {
            let status = try? await client.send(request).status
            // A request that the end of the test cancels says nothing.
            if Task.isCancelled { return }
            tally.withLock { $0 = ($0.asked + 1, $0.failed + (status == 200 ? 0 : 1)) }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Loads the only model there is; answers the status.
    func load() async throws -> Int {
        try await HTTPClient().send(request("/model/load", "")).status
    }

    private func request(_ path: String, _ body: String) -> HTTPRequest {
        var headers = HTTPHeaders()
        headers.append(name: "Content-Type", value: "application/json")
        return HTTPRequest(
            .post, gateway + path, headers: headers, body: .bytes(Array(body.utf8)))
    }
}
