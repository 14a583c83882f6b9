import Foundation
import Hummingbird
import NIOCore

/// JSON as the head sends and takes it.
enum HeadJSON {
    static func buffer(_ value: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Our own messages hold strings, numbers and lists of them: encoding them cannot fail.
        let data = (try? encoder.encode(value)) ?? Data("null".utf8)
        return ByteBuffer(bytes: data)
    }

    static func response(_ value: some Encodable) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: buffer(value)))
    }

    /// - Throws: `HeadFailure` 400 naming the place.
    static func decode<Value: Decodable>(_ type: Value.Type, from buffer: ByteBuffer) throws
        -> Value
    {
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch let error as DecodingError {
            throw HeadFailure(400, "invalid_body", reason(of: error))
        }
    }

    private static func reason(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "the field '\(name(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context) where !context.codingPath.isEmpty:
            "the field '\(name(context.codingPath))' has the wrong type"
        case .valueNotFound(_, let context) where !context.codingPath.isEmpty:
            "the field '\(name(context.codingPath))' must not be null"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "the field '\(name(context.codingPath))' has a value this route does not take"
        default: "the body is not the JSON object this route takes"
        }
    }

    private static func name(_ path: [any CodingKey]) -> String {
        String(path.map(\.stringValue).joined(separator: ".").prefix(128))
    }
}
