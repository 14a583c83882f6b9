import Foundation
import HTTPClient
import Jobs
import Synchronization
import Testing

@testable import Cluster

/// What those see who follow a job.
@Suite struct HeadEventsTests {
    private func decode(_ body: String) throws -> [JobEvent] {
        try body.split(separator: "\n").map {
            try JSONDecoder().decode(JobEvent.self, from: Data($0.utf8))
        }
    }

    private func texts(_ events: [JobEvent]) -> [String] {
        events.compactMap { if case .log(let line, _) = $0 { line.text } else { nil } }
    }

    private func isEnd(_ event: JobEvent?) -> Bool { if case .end? = event { true } else { false } }

    @Test("A life is told in order: phases, every line, the end")
    func wholeLife() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "life")
        let following = Task {
            var events: [JobEvent] = []
            for try await event in head.client().events(of: "life", follows: true) {
                events.append(event)
            }
            return events
        }
        let lease = try await hand.claim()
        for number in 0..<20 {
            try await hand.log((0..<100).map { "\(number * 100 + $0)" })
            try await Task.sleep(for: .milliseconds(3))
        }
        try await hand.end(lease, .succeeded(.inline([])))
        let events = try await following.value
        #expect(texts(events) == (0..<2_000).map(String.init))
        guard case .end(let details)? = events.last else { throw NeverHappened(what: "an end") }
        #expect(details.status == .succeeded && details.submissionID == "life")
        let phases = events.compactMap { if case .phase(let phase, _) = $0 { phase } else { nil } }
        #expect(phases.last == "succeeded" && phases.contains("running"))
        #expect(phases == phases.reduce(into: []) { if $0.last != $1 { $0.append($1) } })
        await head.stop()
    }

    @Test("A line arrives when it was written: the store's signal brings it, not the poll")
    func promptness() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "prompt")
        let events = JobEvents(store: store, pollInterval: .seconds(3_600))
        let passing = Task { await events.run() }
        let arrived = Mutex(0)
        let following = Task {
            try await events.follow(hand.id, after: nil, follows: true) { batch in
                arrived.withLock { $0 += texts(batch).count }
            }
        }
        for number in 1...50 {
            try await hand.log(["x"])
            try await eventually("line \(number)") { arrived.withLock { $0 } == number }
        }
        _ = try await store.stop(hand.id, by: "test")
        try await following.value
        passing.cancel()
        await passing.value
    }

    @Test("After a cursor only what comes later is sent")
    func resume() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "resumed")
        try await hand.log((0..<1_200).map(String.init))
        let path = "/api/jobs/resumed/events?follow=0"
        let all = try decode(try await head.get(path).bodyText)
        #expect(texts(all).count == 1_200 && isEnd(all.last))
        let cursors = all.compactMap { event -> (String, String)? in
            if case .log(let line, let cursor?) = event { (line.text, cursor) } else { nil }
        }
        #expect(cursors.map(\.0) == ["499", "999", "1199"])
        for (text, cursor) in cursors {
            let rest = try decode(try await head.get("\(path)&after=\(cursor)").bodyText)
            let last = try #require(Int(text))
            #expect(texts(rest) == (0..<1_200).dropFirst(last + 1).map(String.init))
        }
        // A cursor that nobody gave reads from the start.
        let odd = try decode(try await head.get("\(path)&after=%00%22;DROP").bodyText)
        #expect(texts(odd).count == 1_200)
        await head.stop()
    }

    @Test("Lines that are no longer kept are counted, in their place")
    func dropped() async throws {
        var limits = StoreLimits()
        limits.logLinesMax = 100
        let head = try await RunningHead.start(store: StoreDouble(InMemoryJobStore(limits: limits)))
        let hand = try await JobHand(head.store, "long")
        try await hand.log((0..<250).map(String.init))
        var events: [JobEvent] = []
        for try await event in head.client().events(of: "long", follows: false) {
            events.append(event)
        }
        #expect(texts(events) == (150..<250).map(String.init))
        let place = try #require(events.firstIndex(of: .dropped(count: 150)))
        guard case .log(let line, _) = events[place + 1] else {
            throw NeverHappened(what: "a line")
        }
        #expect(line.text == "150")
        await head.stop()
    }

    @Test("Not followed, the log of a running job ends where it stands")
    func notFollowed() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "running")
        _ = try await hand.claim()
        try await hand.log(["so far"])
        let events = try decode(try await head.get("/api/jobs/running/events?follow=0").bodyText)
        #expect(texts(events) == ["so far"])
        guard case .end(let details)? = events.last else { throw NeverHappened(what: "an end") }
        #expect(details.status == .running)
        await head.stop()
    }

    @Test("Followers that leave are forgotten, and so are those of a job that is gone")
    func leaving() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "left")
        let events = JobEvents(store: store)
        let followers = (0..<20).map { _ in
            Task { try await events.follow(hand.id, after: nil, follows: true) { _ in } }
        }
        try await eventually("all follow") { await events.followerCount == 20 }
        for follower in followers { follower.cancel() }
        for follower in followers { _ = await follower.result }
        #expect(await events.followerCount == 0)
        struct Gone: Error {}
        await #expect(throws: Gone.self) {
            try await events.follow(hand.id, after: nil, follows: true) { _ in throw Gone() }
        }
        #expect(await events.followerCount == 0)
        // Not waited for ever: a job nobody knows has no events.
        try await events.follow(try JobID("unknown"), after: nil, follows: true) { _ in
            throw Gone()
        }
    }

    @Test("A head forgets a follower whose connection broke")
    func brokenConnection() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "broken")
        let reader = Task {
            for try await _ in head.client().events(of: "broken", follows: true) {}
        }
        try await Task.sleep(for: .milliseconds(200))
        reader.cancel()
        _ = await reader.result
        // Each new line wakes who still follows; the job's record is then read.
        for _ in 0..<5 {
            try await hand.log(["into the void"])
            try await Task.sleep(for: .milliseconds(20))
        }
        let reply = try await head.get("/api/jobs/broken/events?follow=0")
        #expect(texts(try decode(reply.bodyText)).count == 5)
        await head.stop()
    }
}
