import Synchronization
import TestSupport
import Testing

@testable import HTTPClient

/// What is tried again, when, and how often.
@Suite struct RetryTests {
    @Test("The delay grows to its limit, with jitter on top")
    func growth() {
        var policy = HTTPRetryPolicy.repeatable
        policy.attemptsMax = 9
        policy.delayFirst = .seconds(1)
        policy.delayMax = .seconds(5)
        policy.jitterMax = .seconds(1)
        let lost = Result<HTTPResponse, HTTPClientError>.failure(.timedOut(host: "h"))
        let delays = (1...9).map { policy.delay(afterAttempt: $0, endingWith: lost, chance: 0) }
        #expect(delays == [1, 2, 4, 5, 5, 5, 5, 5, nil].map { $0.map { Duration.seconds($0) } })
        #expect(policy.delay(afterAttempt: 1, endingWith: lost, chance: 0.5) == .seconds(1.5))
    }

    @Test("What may have been processed is repeated only where that does no harm")
    func ambiguity() {
        let errors: [(HTTPClientError, always: Bool, repeatable: Bool)] = [
            (.cannotConnect(host: "h", cause: "c"), true, true),
            (.connectionLost(host: "h", cause: "c"), false, true),
            (.timedOut(host: "h"), false, true),
            (.tls(host: "h", cause: "c"), false, false),
            (.tooLarge(limit: 1), false, false),
            (.cancelled, false, false),
        ]
        for (error, always, repeatable) in errors {
            let outcome = Result<HTTPResponse, HTTPClientError>.failure(error)
            let careful = HTTPRetryPolicy.unprocessedOnly
            #expect(
                (careful.delay(afterAttempt: 1, endingWith: outcome, chance: 0) != nil) == always)
            let free = HTTPRetryPolicy.repeatable
            #expect(
                (free.delay(afterAttempt: 1, endingWith: outcome, chance: 0) != nil) == repeatable)
        }
        let unavailable = Result<HTTPResponse, HTTPClientError>.success(HTTPResponse(status: 503))
        #expect(
            HTTPRetryPolicy.unprocessedOnly.delay(
                afterAttempt: 1, endingWith: unavailable, chance: 0) == nil)
    }

    @Test("Retry-After is honoured up to its cap; nonsense in it is not")
    func retryAfter() {
        let policy = HTTPRetryPolicy.repeatable
        func delay(_ value: String) -> Duration? {
            let response = HTTPResponse(status: 503, headers: ["Retry-After": value])
            return policy.delay(afterAttempt: 1, endingWith: .success(response), chance: 0)
        }
        #expect(delay("3") == .seconds(3))
        #expect(delay("9999999") == policy.retryAfterMax)
        for nonsense in ["0", "-5", "soon", "99999999999999999999999"] {
            #expect(delay(nonsense) == policy.delayFirst)
        }
    }

    @Test("A server that recovers is asked again after the delays, on the given clock")
    func recovery() async throws {
        let count = Mutex(0)
        let server = try TestHTTPServer { _ in
            let number = count.withLock {
                $0 += 1
                return $0
            }
            return number < 4
                ? .answer(503, headers: ["Retry-After": "7"]) : .answer(200, "at last")
        }
        let clock = SkippingClock()
        let client = HTTPClient(clock: clock, chance: { 0 })
        let response = try await client.send(HTTPRequest(.get, server.url), retrying: .repeatable)
        #expect(response.bodyText == "at last")
        #expect(clock.slept == [.seconds(7), .seconds(7), .seconds(7)])
    }

    @Test("The last answer stands when the attempts are used up")
    func exhaustion() async throws {
        let server = try TestHTTPServer { _ in .answer(500, "broken") }
        let client = HTTPClient(clock: SkippingClock(), chance: { 0 })
        let response = try await client.send(HTTPRequest(.get, server.url), retrying: .repeatable)
        #expect(response.status == 500)
        #expect(server.requests.count == HTTPRetryPolicy.repeatable.attemptsMax)
    }

    @Test("Waiting for the next attempt ends with the task")
    func cancellation() async throws {
        let server = try TestHTTPServer { _ in .answer(503, headers: ["Retry-After": "60"]) }
        let client = HTTPClient()
        let task = Task {
            try await client.send(HTTPRequest(.get, server.url), retrying: .repeatable)
        }
        try await until { server.requests.count == 1 }
        task.cancel()
        await #expect(throws: HTTPClientError.cancelled) { try await task.value }
    }
}

/// A clock on which every sleep is over at once, and is remembered.
final class SkippingClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (first: Instant, second: Instant) -> Bool { first.offset < second.offset }
    }

    private let state = Mutex<(now: Instant, slept: [Duration])>((Instant(offset: .zero), []))

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }
    var slept: [Duration] { state.withLock { $0.slept } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock {
            $0.slept.append(deadline.offset - $0.now.offset)
            $0.now = deadline
        }
    }
}
