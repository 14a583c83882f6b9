internal import Foundation
internal import HTTPClient

/// JSON calls to one MLflow server.
struct ServerChannel: Sendable {
    let base: String
    let configuration: MLflowConfiguration
    let http: HTTPClient

    /// Answers to JSON calls are never larger, however the server is asked.
    static let answerBytesMax = 32 << 20

    struct Call {
        var method: HTTPRequest.Method
        /// Below `/api/2.0/`, its segments percent-encoded.
        var path: String
        var query: [(name: String, value: String)] = []
        var body: (any Encodable & Sendable)?
        var operation: String
        var subject: String
        /// Whether the server may see the call twice.
        var isRepeatable = true

        static func get(
            _ path: String, _ query: [(name: String, value: String)] = [], to operation: String,
            _ subject: String
        ) -> Call {
            Call(method: .get, path: path, query: query, operation: operation, subject: subject)
        }

        static func post(
            _ path: String, _ body: any Encodable & Sendable, to operation: String,
            _ subject: String, isRepeatable: Bool = true
        ) -> Call {
            Call(
                method: .post, path: path, body: body, operation: operation, subject: subject,
                isRepeatable: isRepeatable)
        }
    }

    func perform<Answer: Decodable>(
        _ call: Call, as type: Answer.Type
    ) async throws(MLflowError) -> Answer {
        let response = try await perform(call)
        do {
            return try ServerChannel.decoder.decode(Answer.self, from: Data(response.body))
        } catch {
            throw MLflowError(
                .invalidAnswer, operation: call.operation, subject: call.subject,
                status: response.status,
                message: "the answer is not the JSON that MLflow sends: "
                    + response.bodyText.prefix(120))
        }
    }

    /// A call whose answer says only that it was done.
    @discardableResult
    func perform(_ call: Call) async throws(MLflowError) -> HTTPResponse {
        var request = try request(call.method, "/api/2.0/" + call.path, call.query, call)
        if let body = call.body {
            do {
                request.body = .bytes(Array(try ServerChannel.encoder.encode(body)))
            } catch {
                throw MLflowError(
                    .invalidValue, operation: call.operation, subject: call.subject,
                    message: "the values cannot be written as JSON")
            }
            request.headers["Content-Type"] = "application/json"
        }
        request.isRepeatable = call.isRepeatable
        let policy =
            call.isRepeatable ? configuration.repeatablePolicy : configuration.createPolicy
        return try await send(request, policy, call.operation, call.subject)
    }

    func send(
        _ request: HTTPRequest, _ policy: HTTPRetryPolicy, _ operation: String, _ subject: String
    ) async throws(MLflowError) -> HTTPResponse {
        let response: HTTPResponse
        do {
            response = try await http.send(request, retrying: policy)
        } catch {
            throw MLflowError(error, operation: operation, subject: subject, server: base)
        }
        guard response.isSuccess else {
            throw MLflowError(response, operation: operation, subject: subject, server: base)
        }
        return response
    }

    /// A request to this server with its credentials.
    func request(
        _ method: HTTPRequest.Method, _ path: String,
        _ query: [(name: String, value: String)] = []
    ) -> HTTPRequest {
        let suffix = query.isEmpty ? "" : "?" + PercentEncoding.query(query)
        var request = HTTPRequest(
            method, base + path + suffix, timeout: configuration.timeout,
            bodyMax: ServerChannel.answerBytesMax)
        switch configuration.credentials {
        case .none: break
        case .basic(let user, let password):
            let token = Data("\(user):\(password)".utf8).base64EncodedString()
            request.headers["Authorization"] = "Basic " + token
        case .bearer(let token):
            request.headers["Authorization"] = "Bearer " + token
        }
        return request
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, _ query: [(name: String, value: String)],
        _ call: Call
    ) throws(MLflowError) -> HTTPRequest {
        let size = query.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard size <= 4096 else {
            throw MLflowError(
                .invalidValue, operation: call.operation, subject: call.subject,
                message: "the name is too long")
        }
        return request(method, path, query)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}
