/// The answer to one request, complete.
package struct HTTPResponse: Sendable, Hashable {
    package var status: Int
    package var headers: HTTPHeaders
    /// Empty for a download that went to its file.
    package var body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isSuccess: Bool { (200..<300).contains(status) }
    /// Bytes that are not UTF-8 become U+FFFD.
    package var bodyText: String { String(decoding: body, as: UTF8.self) }
}

/// An answer whose body is still arriving.
///
/// Reading slowly slows the server down: at most `ChunkBuffer.bytesMax` wait in memory. Dropping
/// `chunks`, or cancelling the task that reads it, closes the transfer.
package struct HTTPStreamedResponse: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    package let chunks: AsyncThrowingStream<[UInt8], any Error>

    package var isSuccess: Bool { (200..<300).contains(status) }

    /// The body up to `limit` bytes: what an error answer says.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in chunks {
            guard bytes.count + chunk.count <= limit else {
                throw HTTPClientError.tooLarge(limit: limit)
            }
            bytes += chunk
        }
        return bytes
    }
}
