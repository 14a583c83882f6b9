import JobChannel
import Jobs
import Testing

@testable import Cluster

/// What a driver's session does for those who ask actors.
@Suite struct DriverSessionActorTests {
    @Test("Calls go to their actor's worker; when it is dead for good whoever waits is told why")
    func actors() async throws {
        let rig = try await SessionRig()
        try rig.enqueue(1, .life(instance: "c/0"))
        let life = try await rig.claim(labels: ["toolchain", "actors"])
        #expect(life.task.spec.name == "actor c/0")
        try rig.enqueue(2, .call(instance: "c/0"), occurrence: 0)
        let home: Set = ["toolchain", "actors", try ActorTask.homeLabel(of: "c/0", JobID("j"))]
        let call = try await rig.claim(labels: home)
        #expect(call.task.spec.name == "c/0" && call.task.spec.resources.milliCPUs == 0)
        try await rig.end(call, .succeeded(.inline([7])))
        #expect(
            try await rig.next()
                == ChannelMessage(.completed(request: 2, .succeeded(blob: nil)), payload: [7]))
        // No worker is its home now: the call waits.
        try rig.enqueue(3, .call(instance: "c/0"), occurrence: 1)
        try await eventually("the call is in the store") {
            try await rig.store.tasks(of: JobID("j"), limit: 10)
                .count { $0.spec.name == "c/0" } == 2
        }
        try await rig.end(life, .crashed(message: "gone", exitCode: nil, signal: 9))
        var told: Set<UInt64> = []
        for _ in 0..<2 {
            guard case .completed(let request, .lost(let cause)) = try await rig.next().header
            else { throw NeverHappened(what: "a loss") }
            #expect(cause.contains("gone"))
            told.insert(request)
        }
        #expect(told == [1, 3])
        try rig.enqueue(4, .call(instance: "c/0"), occurrence: 2)
        guard case .completed(4, .lost) = try await rig.next().header else {
            throw NeverHappened(what: "a loss")
        }
        // What was answered before is answered again, for a driver that was restarted.
        try rig.enqueue(5, .call(instance: "c/0"), occurrence: 0)
        #expect(
            try await rig.next()
                == ChannelMessage(.completed(request: 5, .succeeded(blob: nil)), payload: [7]))
        await rig.leave()
    }

    @Test("A life that is given up on its way to the store is taken out of it, and calls are told")
    func actorGivenUp() async throws {
        let rig = try await SessionRig()
        rig.store.slow(.enqueue, by: .milliseconds(200))
        try rig.enqueue(1, .life(instance: "c/0"))
        try rig.enqueue(2, .call(instance: "c/0"))
        try await eventually("it is on its way") { rig.store.count(of: .enqueue) == 1 }
        try rig.process.send(ChannelMessage(.abandon(request: 1)))
        guard case .completed(2, .lost(let cause)) = try await rig.next().header else {
            throw NeverHappened(what: "a loss")
        }
        #expect(cause == "it was stopped")
        try await eventually("nothing of it is left") {
            let tasks = try await rig.store.tasks(of: JobID("j"), limit: 10)
                .filter { $0.spec.kind == .task }
            return tasks.count == 2
                && tasks.allSatisfy { $0.state == .cancelled(by: "the driver") }
        }
        await rig.leave()
    }

    @Test("An actor that is one too many, or that no store takes, is refused, and so are its calls")
    func actorRefused() async throws {
        let rig = try await SessionRig(fullPatience: .zero)
        rig.store.fail(.enqueue, JobStoreError.full("100 tasks"))
        try rig.enqueue(1, .life(instance: "c/0"))
        guard case .refused(1, let reason) = try await rig.next().header else {
            throw NeverHappened(what: "a refusal")
        }
        #expect(reason.contains("100 tasks"))
        try rig.enqueue(2, .call(instance: "c/0"))
        guard case .completed(2, .lost(let cause)) = try await rig.next().header else {
            throw NeverHappened(what: "a loss")
        }
        #expect(cause == reason)
        for number in 1...ActorLedger.livingMax {
            try rig.enqueue(UInt64(100 + number), .life(instance: "c/\(number)"))
        }
        try rig.enqueue(9, .life(instance: "d/0"))
        guard case .refused(9, let bound) = try await rig.next().header else {
            throw NeverHappened(what: "a refusal")
        }
        #expect(bound == "a job has at most 64 actors at one time")
        await rig.leave()
    }
}
