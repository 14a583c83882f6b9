import Testing

@testable import Jobs

@Suite struct WorkerLifeTests {
    private var life = WorkerLife(
        id: WorkerID(rawValue: "w"),
        offer: WorkerLife.Offer(
            resources: Resources(milliCPUs: 2_000, memoryInBytes: 10, gpus: 1), driverSlots: 1,
            attemptsMax: 3, labels: ["a"], leaseInMilliseconds: 4_000))

    private func grant(
        _ token: Int64, _ kind: NewTask.Kind = .task, of role: ActorTask? = nil
    ) -> Grant {
        let job = newJob("job")
        let id = TaskID(rawValue: "job/\(token)")
        let lease = Lease(task: id, worker: life.id, token: token, expiry: 0)
        let spec = NewTask(
            id: id, job: job.id, kind: kind, name: role?.taskName ?? "t", input: .inline([]),
            resources: Resources(milliCPUs: 500, memoryInBytes: 2),
            labels: role.map { [$0.label(of: job.id)] } ?? [], retry: .task)
        let task = TaskRecord(
            spec: spec, state: .running(lease), attempt: 1, history: [], createdAt: 0)
        return Grant(task: task, lease: lease, job: job)
    }

    private func reply(_ grants: [Grant], due: Int64? = nil) -> ClaimReply {
        ClaimReply(endings: [], grants: grants, nextDueInMilliseconds: due)
    }

    @Test("What an attempt takes is free again after its end, and counts until then")
    mutating func resourcesComeBack() {
        _ = life.claimed(reply([grant(1), grant(2, .driver)]), sent: 0)
        #expect(life.free == Resources(milliCPUs: 1_000, memoryInBytes: 6, gpus: 1))
        #expect(life.claimRequest.driverSlots == 0)
        #expect(life.claimRequest.grantsMax == 1)
        #expect(life.leases.map(\.token) == [1, 2])
        life.ended(1, .released)
        life.ended(2, nil)
        #expect(life.free == life.offer.resources)
        #expect(life.freeDriverSlots == 1)
        #expect(life.leases.isEmpty)
    }

    @Test("An attempt ends once")
    mutating func attemptsEndOnce() {
        _ = life.claimed(reply([grant(1)]), sent: 0)
        let first = life.ended(1, .released)
        let second = life.ended(1, .released)
        #expect(first?.lease.token == 1)
        #expect(second == nil)
        #expect(life.endings.count == 1)
        #expect(life.free == life.offer.resources)
    }

    @Test("An ending stays until the store has taken it; one that came meanwhile stays longer")
    mutating func endingsWait() {
        _ = life.claimed(reply([grant(1), grant(2)]), sent: 0)
        life.ended(1, .released)
        #expect(life.claimRequest.endings.map(\.lease.token) == [1])
        let request = life.claimRequest  // which fails
        #expect(life.claimRequest == request)
        life.ended(2, .released)
        _ = life.claimed(reply([]), sent: request.endings.count)
        #expect(life.endings.map(\.lease.token) == [2])
    }

    @Test("The last lines go along with a failure only, and ends are counted")
    mutating func lastLines() {
        _ = life.claimed(reply([grant(1), grant(2), grant(3)]), sent: 0)
        life.ended(1, .failed(message: "no"), lastLines: ["a", "b"])
        life.ended(2, .succeeded(.inline([])), lastLines: ["c"])
        life.ended(3, .released, lastLines: ["d"])
        #expect(life.endings.map(\.lastLines) == [["a", "b"], [], []])
        #expect(life.succeededCount == 1 && life.failedCount == 1)
    }

    @Test("It asks for tasks of its pools, and keeps what ends an attempt in words")
    mutating func poolsAndDeadlines() {
        #expect(life.claimRequest.pools == ["default"])
        var offer = life.offer
        offer.pools = ["gpu", "x"]
        #expect(WorkerLife(id: life.id, offer: offer).claimRequest.pools == ["gpu", "x"])
        var spec = grant(1).task.spec
        spec.deadlines = Deadlines(startToClose: 5_000, scheduleToClose: 90_500)
        let lease = grant(1).lease
        let bounded = TaskRecord(
            spec: spec, state: .running(lease), attempt: 1, history: [], createdAt: 0)
        _ = life.claimed(
            reply([Grant(task: bounded, lease: lease, job: newJob("job")), grant(2)]), sent: 0)
        #expect(life.running[1]?.deadline == "start-to-close deadline of 5 s")
        #expect(life.running[2]?.deadline == nil)
    }

    @Test("Calls are asked for where their actor lives, while its lease is certain")
    mutating func homes() {
        let home = ActorTask.homeLabel(of: "c/0", newJob("job").id)
        #expect(life.claimRequest.labels == ["a"])
        life.isHome(of: "c/0", newJob("job").id, true)
        #expect(life.claimRequest.labels == ["a", home])
        life.areLeasesCertain = false
        #expect(life.claimRequest.labels == ["a"])
        life.areLeasesCertain = true
        life.isHome(of: "c/0", newJob("job").id, false)
        #expect(life.claimRequest.labels == ["a"])
    }

    @Test("Actors leave room for their calls, and have a bound of their own")
    mutating func actorsLeaveRoom() {
        var offer = life.offer
        offer.labels = ["a", ActorTask.label]
        offer.resources.milliCPUs = 64_000
        offer.resources.memoryInBytes = 1_000
        life = WorkerLife(id: life.id, offer: offer)
        _ = life.claimed(
            reply((1...2).map { grant($0, of: .life(instance: "c/\($0)")) }), sent: 0)
        #expect(life.claimRequest.grantsMax == 3)
        #expect(life.claimRequest.labels.contains(ActorTask.label))
        _ = life.claimed(reply([grant(3, of: .life(instance: "c/3"))]), sent: 0)
        #expect(life.claimRequest.grantsMax == 3)
        #expect(!life.claimRequest.labels.contains(ActorTask.label))
        life.ended(2, .crashed(message: "gone", exitCode: nil, signal: 9))
        #expect(life.claimRequest.labels.contains(ActorTask.label))
        #expect(life.free.milliCPUs == 63_000)
    }

    @Test("An actor of a worker that leaves is dead: neither its life nor a call is unharmed")
    mutating func actorsDoNotSurvive() {
        _ = life.claimed(
            reply([
                grant(1, of: .life(instance: "c/0")), grant(2, of: .call(instance: "c/0")),
                grant(3),
            ]), sent: 0)
        let dead = AttemptOutcome.crashed(
            message: "its worker was stopped", exitCode: nil, signal: nil)
        #expect(life.handBack().map(\.outcome) == [dead, dead, .released])
    }

    @Test("It asks again at once while it has something to tell, else when a task is due")
    mutating func pauses() {
        #expect(life.pauseInMilliseconds(after: reply([])) == 1_000)
        #expect(life.pauseInMilliseconds(after: reply([], due: 0)) == 1)
        #expect(life.pauseInMilliseconds(after: reply([], due: 20)) == 21)
        #expect(life.pauseInMilliseconds(after: reply([], due: 60_000)) == 1_000)
        #expect(life.pauseInMilliseconds(after: reply([grant(1)])) == 0)
        _ = life.claimed(reply([grant(1)]), sent: 0)
        life.ended(1, .released)
        #expect(life.pauseInMilliseconds(after: reply([])) == 0)
    }

    @Test("A worker that leaves starts nothing and hands back everything, once")
    mutating func leaving() {
        _ = life.claimed(reply([grant(1), grant(2)]), sent: 0)
        life.ended(1, .succeeded(.inline([7])))
        life.stopClaiming()
        let started = life.claimed(reply([grant(3)]), sent: 0)
        #expect(started.isEmpty)
        let parting = life.handBack()
        #expect(parting.map(\.lease.token) == [1, 3, 2])
        #expect(parting.map(\.outcome) == [.succeeded(.inline([7])), .released, .released])
        let again = life.handBack()
        let late = life.ended(2, .released)
        #expect(again.isEmpty)
        #expect(late == nil)
        #expect(life.free == life.offer.resources)
    }
}
