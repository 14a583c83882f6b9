import JobChannel
import Jobs
import Testing

@testable import Cluster

/// What becomes of calls when their actor is gone for good, without any store.
@Suite struct ActorLedgerTests {
    private let one = TaskID(rawValue: "j/c/1")
    private let two = TaskID(rawValue: "j/c/2")

    @Test(
        "Whoever waits is told when the actor ends; each later call at once, with the first cause")
    func ends() {
        var ledger = ActorLedger()
        #expect(ledger.waits(one, for: "c/0") == nil && ledger.waits(two, for: "c/0") == nil)
        #expect(ledger.ends("c/0", because: "signal 9") == [one, two])
        #expect(ledger.ends("c/0", because: "it was stopped").isEmpty)
        #expect(ledger.waits(one, for: "c/0") == "signal 9")
        #expect(ledger.cause(of: "c/0") == "signal 9")
    }

    @Test("An answered call is not told again; other actors are not concerned")
    func others() {
        var ledger = ActorLedger()
        _ = ledger.waits(one, for: "c/0")
        _ = ledger.waits(two, for: "c/1")
        ledger.isOver(one, of: "c/0")
        #expect(ledger.ends("c/0", because: "x").isEmpty)
        #expect(ledger.cause(of: "c/1") == nil)
        #expect(ledger.ends("c/1", because: "y") == [two])
    }

    @Test("A job has so many actors at one time; one that ended makes room, one asked again has it")
    func bound() throws {
        let job = try JobID("j")
        func life(_ number: Int) -> NewTask {
            var request = TaskRequest(name: "c", occurrence: 0)
            request.actor = .life(instance: "c/\(number)")
            return request.newTask(of: job, priority: 0, milliCPUs: 0, input: [])
        }
        var ledger = ActorLedger()
        for number in 0..<ActorLedger.livingMax {
            #expect(ledger.refusal(of: life(number)) == nil)
        }
        #expect(ledger.refusal(of: life(64)) == "a job has at most 64 actors at one time")
        #expect(ledger.refusal(of: life(5)) == nil)
        #expect(ledger.ends("c/5", because: "x").isEmpty)
        #expect(ledger.refusal(of: life(64)) == nil)
        let plain = TaskRequest(name: "actor c/99", occurrence: 0)
        #expect(
            ledger.refusal(of: plain.newTask(of: job, priority: 0, milliCPUs: 0, input: [])) == nil)
    }
}
