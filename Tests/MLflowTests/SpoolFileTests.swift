import Foundation
import Testing

@testable import MLflow

/// The file of a spool: what survives, what is cut off, what is refused.
@Suite struct SpoolFileTests {
    static let beginning = SpoolBeginning(
        trackingURI: "http://127.0.0.1:5000", effectKey: "job/run/1", startTime: 1)

    static func metric(_ step: Int64, value: Double = 0.5) -> SpoolFact {
        .batch(LogBatch(metrics: [Metric(key: "m", value: value, timestamp: 1, step: step)]))
    }

    private func write(_ facts: [SpoolFact], in folder: String) throws {
        let file = try SpoolFile.make(in: folder)
        for fact in facts {
            try file.append(
                .fact(number: file.state.summary.nextNumber, time: 7, fact))
        }
    }

    private func bytes(_ folder: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: SpoolFile.path(in: folder)))
    }

    private func replace(_ data: Data, in folder: String) throws {
        try data.write(to: URL(fileURLWithPath: SpoolFile.path(in: folder)))
    }

    @Test("What was written is read again, numbers that JSON lacks too")
    func readAgain() async throws {
        try await withFolder { folder in
            let facts: [SpoolFact] = [
                .begin(Self.beginning), Self.metric(1, value: .nan),
                Self.metric(2, value: -.infinity), .end(.failed, at: 9),
            ]
            try write(facts, in: folder)
            let file = try #require(try SpoolFile.open(in: folder))
            #expect(file.state.waitingCount == 4 && file.state.isEnded)
            #expect(file.state.summary.trackingURI == "http://127.0.0.1:5000")
            for (waiting, fact) in zip(file.state.waiting, facts) {
                #expect("\(try file.fact(waiting))" == "\(fact)")
            }
        }
    }

    @Test("One process at a time holds it")
    func locked() async throws {
        try await withFolder { folder in
            let file = try SpoolFile.make(in: folder)
            #expect(try SpoolFile.open(in: folder) == nil)
            #expect(file.state.waiting.isEmpty)
        }
    }

    @Test("A frame that a killed process left half-written is cut off, wherever it ends")
    func torn() async throws {
        try await withFolder { folder in
            try write([.begin(Self.beginning), Self.metric(1)], in: folder)
            let whole = try bytes(folder)
            try FileManager.default.removeItem(atPath: folder)
            try write([.begin(Self.beginning)], in: folder)
            let first = try bytes(folder)
            for length in first.count..<whole.count {
                try replace(whole.prefix(length), in: folder)
                let file = try #require(try SpoolFile.open(in: folder))
                #expect(file.state.waitingCount == 1)
                #expect(file.damagedBytes == length - first.count)
                try file.append(.fact(number: 2, time: 7, Self.metric(1)))
                #expect(file.state.waitingCount == 2 && file.size == whole.count)
                #expect("\(try file.fact(file.state.waiting[1]))" == "\(Self.metric(1))")
            }
        }
    }

    @Test("No byte can be changed without being noticed, and none makes reading fail")
    func damaged() async throws {
        try await withFolder { folder in
            try write([.begin(Self.beginning), Self.metric(1), .end(.finished, at: 3)], in: folder)
            let whole = try bytes(folder)
            for index in SpoolFrame.header.count..<whole.count {
                var changed = whole
                changed[index] ^= 0x41
                try replace(changed, in: folder)
                let file = try #require(try SpoolFile.open(in: folder))
                #expect(file.state.waitingCount < 3 && file.damagedBytes > 0)
            }
        }
    }

    @Test("Another version of the format, and what is no spool, are refused by name")
    func versions() async throws {
        try await withFolder { folder in
            try write([.begin(Self.beginning)], in: folder)
            var data = try bytes(folder)
            data[7] = 2
            try replace(data, in: folder)
            do throws(MLflowError) {
                _ = try SpoolFile.open(in: folder)
                Issue.record("It was opened.")
            } catch {
                #expect(error.description.contains("version 2"))
            }
            try replace(Data("hello".utf8), in: folder)
            #expect(throws: MLflowError.self) { _ = try SpoolFile.open(in: folder) }
        }
    }

    @Test("Rewriting keeps what waits, what is known, and what was tried")
    func rewriting() async throws {
        try await withFolder { folder in
            try write(
                [.begin(Self.beginning)] + (0..<100).map { Self.metric($0) }
                    + [.end(.finished, at: 3)], in: folder)
            let file = try #require(try SpoolFile.open(in: folder))
            try file.append(.done(through: 1, .run(SpoolRun(id: "r", experimentID: "4"))))
            try file.append(.sending(through: 11))
            try file.append(.done(through: 11, nil))
            try file.append(.sending(through: 21))
            let before = file.state
            let size = file.size
            try file.rewrite()
            #expect(file.size < size && file.state.waiting.count == 91)
            #expect(file.state.waiting.map(\.number) == before.waiting.map(\.number))
            #expect(file.state.summary == before.summary && file.state.attempt == before.attempt)
            for fact in file.state.waiting { _ = try file.fact(fact) }
        }
    }

    @Test("Thinning halves the waiting values, but none of a call that was tried")
    func thinning() async throws {
        try await withFolder { folder in
            try write(
                [.begin(Self.beginning)] + (0..<100).map { Self.metric($0) }, in: folder)
            let file = try #require(try SpoolFile.open(in: folder))
            try file.append(.done(through: 1, .run(SpoolRun(id: "r", experimentID: "4"))))
            try file.append(.sending(through: 11))
            try file.rewrite(thins: true)
            let steps = file.state.waiting.map(\.number)
            #expect(steps == Array(2...11) + Array(52...101))
            #expect(file.state.summary.droppedCount == 40)
            #expect(file.state.attempt?.through == 11)
        }
        try await withFolder { folder in
            try write([.begin(Self.beginning)], in: folder)
            #expect(SpoolFile.run(in: folder) == nil)
            let file = try #require(try SpoolFile.open(in: folder))
            try file.append(.done(through: 1, .run(SpoolRun(id: "r", experimentID: "4"))))
            // Also while it is held.
            #expect(SpoolFile.run(in: folder)?.id == "r")
        }
    }
}
