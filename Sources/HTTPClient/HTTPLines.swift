/// The lines of a streamed body, without their line ends, as they become complete.
///
/// A line longer than the limit comes in pieces of that size, so that a server which never ends a
/// line cannot fill the memory.
package struct HTTPLines: AsyncSequence {
    fileprivate let chunks: AsyncThrowingStream<[UInt8], any Error>
    fileprivate let bytesMax: Int

    package func makeAsyncIterator() -> Iterator {
        Iterator(chunks: chunks.makeAsyncIterator(), bytesMax: Swift.max(1, bytesMax))
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator
        fileprivate let bytesMax: Int
        private var pending: [UInt8] = []
        /// Where the unread part of `pending` begins.
        private var start = 0
        private var hasEnded = false

        fileprivate init(
            chunks: AsyncThrowingStream<[UInt8], any Error>.Iterator, bytesMax: Int
        ) {
            self.chunks = chunks
            self.bytesMax = bytesMax
        }

        package mutating func next() async throws -> String? {
            while true {
                if let line = takeLine() { return line }
                guard !hasEnded else { return nil }
                pending.removeFirst(start)
                start = 0
                if let chunk = try await chunks.next() {
                    pending += chunk
                } else {
                    hasEnded = true
                }
            }
        }

        private mutating func takeLine() -> String? {
            let rest = pending[start...].prefix(bytesMax)
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                start = end + 1
                let line = pending[rest.startIndex..<end]
                return text(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            }
            guard rest.count == bytesMax || hasEnded && !rest.isEmpty else { return nil }
            start = rest.endIndex
            // The end of a line that was cut exactly before it belongs to the piece.
            if start < pending.count, pending[start] == UInt8(ascii: "\n") { start += 1 }
            return text(rest)
        }

        private func text(_ bytes: ArraySlice<UInt8>) -> String {
            String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension HTTPStreamedResponse {
    /// The body as lines of at most `bytesMax` bytes each.
    package func lines(bytesMax: Int = 1 << 20) -> HTTPLines {
        HTTPLines(chunks: chunks, bytesMax: bytesMax)
    }
}
