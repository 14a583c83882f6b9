internal import Synchronization

/// The bytes of a stream between the loop's thread, which puts them in, and the one task that takes
/// them out. When the reader is slow the transfer is paused, and the server with it.
final class ChunkBuffer: BodySink, Sendable {
    /// Bytes that may wait here before the transfer is paused.
    static let bytesMax = 256 << 10

    private struct State {
        var chunks: [[UInt8]] = []
        var byteCount = 0
        var isPaused = false
        var ending: Result<Void, HTTPClientError>?
        var reader: CheckedContinuation<[UInt8]?, any Error>?
    }
    private let state = Mutex(State())

    func accept(_ bytes: UnsafeRawBufferPointer, status: Int) throws(HTTPClientError) -> Bool {
        let chunk = Array(bytes)
        let (reader, isAccepted): (CheckedContinuation<[UInt8]?, any Error>?, Bool) =
            state.withLock { state in
                if let reader = state.reader {
                    state.reader = nil
                    return (reader, true)
                }
                guard state.byteCount < ChunkBuffer.bytesMax else {
                    state.isPaused = true
                    return (nil, false)
                }
                state.chunks.append(chunk)
                state.byteCount += chunk.count
                return (nil, true)
            }
        reader?.resume(returning: chunk)
        return isAccepted
    }

    /// No more bytes will come.
    func finish(_ ending: Result<Void, HTTPClientError>) {
        let reader = state.withLock { state in
            if state.ending == nil { state.ending = ending }
            defer { state.reader = nil }
            return state.reader
        }
        switch ending {
        case .success: reader?.resume(returning: nil)
        case .failure(let error): reader?.resume(throwing: error)
        }
    }

    private enum Turn {
        case chunk([UInt8], mustResume: Bool)
        case ended(Result<Void, HTTPClientError>)
        case waiting
    }

    /// The next bytes, all that have arrived; `nil` after the last ones.
    ///
    /// - Parameter resume: called when the transfer was paused and may go on.
    func next(resume: () -> Void) async throws -> [UInt8]? {
        try await withCheckedThrowingContinuation { continuation in
            switch takeTurn(continuation) {
            case .waiting: break
            case .ended(.success): continuation.resume(returning: nil)
            case .ended(.failure(let error)): continuation.resume(throwing: error)
            case .chunk(let chunk, let mustResume):
                if mustResume { resume() }
                continuation.resume(returning: chunk)
            }
        }
    }

    private func takeTurn(_ continuation: CheckedContinuation<[UInt8]?, any Error>) -> Turn {
        state.withLock { state in
            if !state.chunks.isEmpty {
                let chunk = state.chunks.count == 1 ? state.chunks[0] : Array(state.chunks.joined())
                state.chunks.removeAll()
                state.byteCount = 0
                defer { state.isPaused = false }
                return .chunk(chunk, mustResume: state.isPaused)
            }
            if let ending = state.ending { return .ended(ending) }
            state.reader = continuation
            return .waiting
        }
    }
}
