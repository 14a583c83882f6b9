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
    static func decode<Value: Decodable>(_ type: Value.Type, from buffer: ByteBuffer) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch DecodingError.keyNotFound(let key, _) {
            throw HeadFailure(400, "invalid_body", "the field '\(key.stringValue)' is missing")
        } catch DecodingError.typeMismatch(_, let context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw HeadFailure(400, "invalid_body", "the field '\(path)' has the wrong type")
        } catch {
            throw HeadFailure(400, "invalid_body", "the body is not the JSON this route takes")
        }
    }
}
