import Foundation
import Synchronization
import Testing

@testable import Manta

/// Actors in a job that is alone.
@Suite(.timeLimit(.minutes(1))) struct RemoteActorTests {
    init() { TestActors.declareAll() }

    private func makeCluster() throws -> Cluster {
        Cluster(LocalRunner(slots: 1), try DriverEnvironment([:]))
    }

    @Test("An actor keeps its state from call to call, and each actor its own")
    func state() async throws {
        let cluster = try makeCluster()
        let first = try await cluster.start(TestActors.counters, with: 10)
        let second = try await cluster.start(TestActors.counters, with: 100)
        #expect(first.name == "counter/0" && second.name == "counter/1")
        #expect(try await first.ask(1) == 11)
        #expect(try await second.ask(1) == 101)
        #expect(try await first.ask(2) == 13)
        let diary = try await cluster.start(TestActors.diaries)
        _ = try await diary.ask("one")
        #expect(try await diary.ask("two") == ["at local", "one", "two"])
    }

    @Test("An error reaches the one who asked; the actor lives on with what it changed")
    func errors() async throws {
        let counter = try await makeCluster().start(TestActors.counters, with: 0)
        await #expect(throws: ActorError.failed(actor: "counter/0", message: "13 is unlucky")) {
            try await counter.ask(13)
        }
        #expect(try await counter.ask(1) == 14)
    }

    @Test("Calls are answered one at a time, in the order in which they were made")
    func order() async throws {
        let counter = try await makeCluster().start(TestActors.counters, with: 0)
        var asked: [Task<Int, any Error>] = []
        // The first one sleeps: the others wait behind it.
        for amount in [0, 1, 10, 100, 1_000] {
            asked.append(Task { try await counter.ask(amount) })
            try await Task.sleep(for: .milliseconds(2))
        }
        var answers: [Int] = []
        for task in asked { answers.append(try await task.value) }
        #expect(answers == [0, 1, 11, 111, 1_111])
    }

    @Test("A full mailbox refuses at once; a cancelled caller leaves it, and nothing was sent")
    func mailbox() async throws {
        let counter = try await makeCluster().start(TestActors.counters, with: 0)
        let asked = (0..<8).map { _ in Task { try await counter.ask(99) } }
        try await expectSoon { counter.pendingCount == 8 }
        await #expect(throws: ActorError.mailboxFull(actor: "counter/0", limit: 8)) {
            try await counter.ask(1)
        }
        for _ in asked { TestActors.gate.leave() }
        for task in asked { #expect(try await task.value.isMultiple(of: 99)) }
        let slow = Task { try await counter.ask(99) }
        try await expectSoon { counter.pendingCount == 1 }
        let given = Task { try await counter.ask(1_000_000) }
        try await expectSoon { counter.pendingCount == 2 }
        given.cancel()
        await #expect(throws: CancellationError.self) { try await given.value }
        TestActors.gate.leave()
        #expect(try await slow.value == 9 * 99)
        #expect(try await counter.ask(1) == 9 * 99 + 1)
    }

    @Test("One that cannot be made, and one that was stopped, answer nobody, and say why")
    func ends() async throws {
        let cluster = try makeCluster()
        let unborn = try await cluster.start(TestActors.counters, with: -1)
        await #expect(throws: ActorError.died(actor: "counter/0", cause: "13 is unlucky")) {
            try await unborn.ask(1)
        }
        let counter = try await cluster.start(TestActors.counters, with: 0)
        #expect(try await counter.ask(1) == 1)
        await counter.stop()
        await #expect(throws: ActorError.stopped(actor: "counter/1")) { try await counter.ask(1) }
    }

    @Test("What was not declared above runJob, or twice, is refused")
    func undeclared() throws {
        let entry = try TaskRegistry.shared.withLock { try $0.entry(ofActor: "counter") }
        var registry = TaskRegistry()
        registry.register(actor: "early", entry)
        try registry.close()
        registry.register(actor: "late", entry)
        #expect(throws: Never.self) { try registry.entry(ofActor: "early") }
        #expect(throws: JobError.taskNotDeclared(task: "late")) {
            try registry.entry(ofActor: "late")
        }
        var twice = TaskRegistry()
        twice.register(actor: "counter", entry)
        twice.register(actor: "counter", entry)
        #expect(throws: JobError.duplicateTasks(["counter"])) { try twice.close() }
    }
}
