import Jobs
import Testing

@testable import Cluster

@Suite struct WakeupTests {
    @Test("A wake-up that comes early is kept, and many count as one")
    func early() async {
        let wakeup = Wakeup()
        wakeup.wake()
        wakeup.wake()
        let clock = ContinuousClock()
        #expect(await clock.measure { await wakeup.wait(atMost: .seconds(30)) } < .seconds(5))
        #expect(
            await clock.measure { await wakeup.wait(atMost: .milliseconds(50)) }
                >= .milliseconds(50))
    }

    @Test("After a wake-up the next wait sleeps again")
    func sleepsAgain() async throws {
        let wakeup = Wakeup()
        var returns = 0
        wakeup.wake()
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {
            await wakeup.wait(atMost: .milliseconds(100))
            returns += 1
        }
        // One at once and one every 100 ms; a cancelled timer that woke would make it thousands.
        #expect((2...8).contains(returns), "\(returns)")
    }

    @Test("A waiter is woken from another task")
    func woken() async {
        let wakeup = Wakeup()
        let waiting = Task { await wakeup.wait(atMost: .seconds(60)) }
        try? await Task.sleep(for: .milliseconds(20))
        wakeup.wake()
        await waiting.value
    }

    @Test("A cancelled task does not wait", arguments: [0, 20])
    func cancelled(delayInMilliseconds: Int) async {
        let wakeup = Wakeup()
        let waiting = Task { await wakeup.wait(atMost: .seconds(60)) }
        try? await Task.sleep(for: .milliseconds(delayInMilliseconds))
        waiting.cancel()
        await waiting.value
    }
}

@Suite struct SingleFlightTests {
    private actor Counter {
        var value = 0
        func add() { value += 1 }
    }

    @Test("Callers of one key share one piece of work; another key has its own")
    func shared() async throws {
        let flights = SingleFlight<Int>()
        let counter = Counter()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try await flights.value(of: number < 40 ? "a" : "b") {
                        await counter.add()
                        try await Task.sleep(for: .milliseconds(200))
                        return 7
                    }
                }
            }
            for try await value in group { #expect(value == 7) }
        }
        #expect(await counter.value == 2)
    }

    @Test("A failure reaches every caller, and the next one tries again")
    func failure() async throws {
        let flights = SingleFlight<Int>()
        struct Broken: Error {}
        await #expect(throws: Broken.self) { try await flights.value(of: "a") { throw Broken() } }
        #expect(try await flights.value(of: "a") { 3 } == 3)
    }

    @Test("Who is cancelled leaves at once; the work goes on for the others")
    func leaving() async throws {
        let flights = SingleFlight<Int>()
        let counter = Counter()
        let work: @Sendable () async throws -> Int = {
            try await Task.sleep(for: .milliseconds(300))
            await counter.add()
            return 1
        }
        let staying = Task { try await flights.value(of: "a", work) }
        let leaving = Task { try await flights.value(of: "a", work) }
        try await Task.sleep(for: .milliseconds(50))
        leaving.cancel()
        await #expect(throws: CancellationError.self) { try await leaving.value }
        #expect(await counter.value == 0)
        #expect(try await staying.value == 1)
        #expect(await counter.value == 1)
    }

    @Test("When the last one has left the work is cancelled, and begins anew for the next")
    func abandoned() async throws {
        let flights = SingleFlight<Int>()
        let cancelled = Counter()
        let only = Task {
            try await flights.value(of: "a") {
                do {
                    try await Task.sleep(for: .seconds(60))
                } catch {
                    // It takes a while to end; nothing else on its key runs meanwhile.
                    await Task.detached { try? await Task.sleep(for: .milliseconds(200)) }.value
                    await cancelled.add()
                    throw error
                }
                return 1
            }
        }
        try await Task.sleep(for: .milliseconds(50))
        only.cancel()
        await #expect(throws: CancellationError.self) { try await only.value }
        #expect(await cancelled.value == 0)
        #expect(try await flights.value(of: "a") { await cancelled.value } == 1)
    }
}

@Suite struct PatienceTests {
    @Test("A store that comes back costs time only")
    func comesBack() async throws {
        var calls = 0
        let value = try await Patience.whileStoreIsAway {
            calls += 1
            if calls == 1 { throw JobStoreError.unavailable("x") }
            if calls == 2 { throw BlobStoreError.unavailable("y") }
            return 5
        }
        #expect(value == 5 && calls == 3)
    }

    @Test("What will not pass is thrown at once; a store that stays away after the limit")
    func limits() async throws {
        var calls = 0
        await #expect(throws: BlobStoreError.missing("d")) {
            try await Patience.whileStoreIsAway {
                calls += 1
                throw BlobStoreError.missing("d")
            }
        }
        #expect(calls == 1)
        await #expect(throws: JobStoreError.unavailable("x")) {
            try await Patience.whileStoreIsAway(for: .milliseconds(300)) {
                throw JobStoreError.unavailable("x")
            }
        }
    }
}
