import Foundation
import Jobs
import Testing

@testable import Cluster

@Suite struct JobLogTests {
    /// Lines from a plain thread, as an output pump brings them.
    private func append(_ texts: [String], to log: JobLog) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                for text in texts {
                    log.append(.out, prefix: "", text: text, endsWithLineFeed: true)
                }
                continuation.resume()
            }
        }
    }

    private func makeLog() async throws -> (StoreDouble, JobLog) {
        let store = StoreDouble()
        let hand = try await JobHand(store, "logged")
        return (store, JobLog(job: hand.id, store: store))
    }

    @Test("Lines arrive in order, many at a time")
    func order() async throws {
        let (store, log) = try await makeLog()
        let texts = (0..<5_000).map(String.init)
        await append(texts, to: log)
        await log.flush(within: .seconds(60))
        #expect(store.storedLines == texts)
        #expect(store.batches.allSatisfy { $0.count <= JobLog.batchMax })
        #expect(store.count(of: .appendLogs) < 100)
    }

    @Test("What a line carries arrives with it")
    func fields() async throws {
        let (store, log) = try await makeLog()
        log.append(.err, prefix: "(t pid=1) ", text: "text", endsWithLineFeed: false)
        log.note("said by the system")
        await log.flush(within: .seconds(60))
        let lines = store.batches.flatMap { $0 }
        #expect(lines.map(\.stream) == [.err, .system])
        #expect(lines[0].prefix == "(t pid=1) " && !lines[0].endsWithLineFeed)
        #expect(abs(lines[0].time - Int64(Date().timeIntervalSince1970 * 1_000)) < 60_000)
    }

    @Test("A batch of long lines is bounded in bytes")
    func longLines() async throws {
        let (store, log) = try await makeLog()
        let long = String(repeating: "x", count: 60_000)
        await append(Array(repeating: long, count: 200), to: log)
        await log.flush(within: .seconds(60))
        #expect(store.storedLines.count == 200)
        for batch in store.batches {
            #expect(batch.reduce(0) { $0 + $1.text.utf8.count } < JobLog.batchMaxInBytes + 60_000)
        }
    }

    @Test("A slow store slows the job down and loses nothing")
    func backPressure() async throws {
        let (store, log) = try await makeLog()
        store.slow(.appendLogs, by: .milliseconds(5))
        let texts = (0..<JobLog.linesMax * 2).map(String.init)
        await append(texts, to: log)
        // What did not fit into the queue had to be stored before the last line was taken.
        #expect(store.storedLines.count >= JobLog.linesMax - JobLog.batchMax)
        await log.flush(within: .seconds(60))
        #expect(store.storedLines == texts)
    }

    @Test(
        "While the store is away lines wait, then are dropped, counted, and marked in their place")
    func storeAway() async throws {
        let (store, log) = try await makeLog()
        store.failAlways(.appendLogs, with: JobStoreError.unavailable("gone"))
        let kept = (0..<JobLog.linesMax).map(String.init)
        await append(kept, to: log)
        let clock = ContinuousClock()
        // The job stands still for a while, and then it does not.
        let stall = await clock.measure { await append(["lost"], to: log) }
        #expect(stall < JobLog.stallMax + .seconds(5))
        let rest = await clock.measure {
            await append(Array(repeating: "lost", count: 4_999), to: log)
        }
        #expect(rest < .seconds(5))
        store.failAlways(.appendLogs, with: nil)
        try await eventually("there is room again") { store.storedLines.count > 1_000 }
        await append(["after"], to: log)
        await log.flush(within: .seconds(60))
        let mark = "5000 lines dropped: the log could not be stored"
        #expect(store.storedLines == kept + [mark, "after"])
    }

    @Test("Lines that were dropped last are marked too")
    func droppedAtEnd() async throws {
        let (store, log) = try await makeLog()
        store.failAlways(.appendLogs, with: JobStoreError.unavailable("gone"))
        await append((0..<JobLog.linesMax).map(String.init), to: log)
        // Asynchronous code never waits for room: its line is lost instead.
        let clock = ContinuousClock()
        #expect(clock.measure { log.note("lost") } < .seconds(1))
        store.failAlways(.appendLogs, with: nil)
        await log.flush(within: .seconds(60))
        #expect(store.storedLines.count == JobLog.linesMax + 1)
        #expect(store.storedLines.last == "1 lines dropped: the log could not be stored")
    }

    @Test("A failed batch goes again before later lines")
    func retry() async throws {
        let (store, log) = try await makeLog()
        store.fail(
            .appendLogs, JobStoreError.unavailable("1"), JobStoreError.unavailable("2"))
        await append(["a", "b"], to: log)
        try await eventually("the first try failed") { store.count(of: .appendLogs) >= 1 }
        await append(["c"], to: log)
        await log.flush(within: .seconds(60))
        #expect(store.storedLines == ["a", "b", "c"])
    }

    @Test("Flush waits for what came before it, not for what others write meanwhile")
    func flushUnderLoad() async throws {
        let (store, log) = try await makeLog()
        store.slow(.appendLogs, by: .milliseconds(2))
        let writing = Task {
            for number in 0..<200 {
                await append((0..<20).map { "\(number).\($0)" }, to: log)
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        try await Task.sleep(for: .milliseconds(100))
        await append(["mine"], to: log)
        let clock = ContinuousClock()
        let duration = await clock.measure { await log.flush() }
        #expect(store.storedLines.contains("mine"))
        #expect(duration < .seconds(3), "\(duration)")
        writing.cancel()
        _ = await writing.result
    }

    @Test("Flush gives up after its limit, and has nothing to wait for in an empty log")
    func flushLimit() async throws {
        let (store, log) = try await makeLog()
        let clock = ContinuousClock()
        #expect(await clock.measure { await log.flush() } < .seconds(2))
        store.failAlways(.appendLogs, with: JobStoreError.unavailable("gone"))
        await append(["stuck"], to: log)
        let duration = await clock.measure { await log.flush(within: .milliseconds(200)) }
        #expect(duration >= .milliseconds(200) && duration < .seconds(5))
    }
}
