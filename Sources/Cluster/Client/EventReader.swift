import Foundation
import HTTPClient

/// Reads one job's events, resuming where a lost connection broke off.
actor EventReader {
    /// Bytes of one event: the last one holds the job as it was submitted.
    static let lineMax = 8 << 20

    private let client: HeadClient
    private let id: String
    private let follows: Bool
    private let patience: Duration
    private var cursor: String?
    private var chunks: AsyncThrowingStream<[UInt8], any Error>?
    private var pending: [UInt8] = []
    /// Events since the last one with a cursor: delivered only when that arrives, so that a lost
    /// connection repeats no line.
    private var held: [JobEvent] = []
    private var queued: [JobEvent] = []
    /// The last phase delivered: a head that is asked anew says it again.
    private var phase: JobEvent?
    private var lostSince: ContinuousClock.Instant?
    private var isOver = false

    init(client: HeadClient, id: String, follows: Bool, patience: Duration) {
        self.client = client
        self.id = id
        self.follows = follows
        self.patience = patience
    }

    func next() async throws -> JobEvent? {
        while true {
            if !queued.isEmpty {
                let event = queued.removeFirst()
                if case .log(_, let position?) = event { cursor = position }
                if case .end = event { isOver = true }
                if case .phase = event {
                    if event == phase { continue }
                    phase = event
                }
                return event
            }
            if isOver { return nil }
            do {
                try await readMore()
                lostSince = nil
            } catch let failure as HeadFailure where failure.status < 500 {
                throw failure
            } catch let unreadable as UnreadableEvent {
                throw unreadable
            } catch {
                try Task.checkCancellation()
                let since = lostSince ?? .now
                lostSince = since
                chunks = nil
                guard ContinuousClock.now - since < patience else { throw error }
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }

    private func readMore() async throws {
        let stream: AsyncThrowingStream<[UInt8], any Error>
        if let chunks {
            stream = chunks
        } else {
            (pending, held) = ([], [])
            stream = try await client.openEvents(of: id, after: cursor, follows: follows).chunks
            chunks = stream
        }
        // One chunk; the next loop over the same stream goes on after it.
        for try await chunk in stream { return try take(chunk) }
        throw HTTPClientError.connectionLost(host: client.address, cause: "the stream ended")
    }

    private func take(_ chunk: [UInt8]) throws {
        pending += chunk
        while let feed = pending.firstIndex(of: UInt8(ascii: "\n")) {
            let line = Data(pending[..<feed])
            pending.removeSubrange(...feed)
            guard let event = try? JSONDecoder().decode(JobEvent.self, from: line) else {
                throw UnreadableEvent(address: client.address)
            }
            held.append(event)
            switch event {
            case .log(_, nil), .dropped: continue
            case .log, .phase, .alive, .end:
                queued += held
                held = []
            }
        }
        guard pending.count < EventReader.lineMax else {
            throw UnreadableEvent(address: client.address)
        }
    }
}

/// What a head sent is no event of this version: asking again would not help.
struct UnreadableEvent: Error, CustomStringConvertible {
    let address: String

    var description: String {
        "\(address) sent an event that this version of manta does not know"
    }
}
