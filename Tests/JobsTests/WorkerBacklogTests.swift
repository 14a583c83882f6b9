import Testing

@testable import Jobs

/// Tasks that come ahead of their slots.
@Suite struct WorkerBacklogTests {
    private var life = WorkerLife(
        id: WorkerID(rawValue: "w"),
        offer: WorkerLife.Offer(
            resources: Resources(milliCPUs: 1_000), driverSlots: 1, attemptsMax: 100, labels: [],
            leaseInMilliseconds: 4_000))

    private func grant(
        _ token: Int64, isAhead: Bool = false, milliCPUs: Int = 1_000, of role: ActorTask? = nil
    ) -> Grant {
        let job = newJob("job")
        let id = TaskID(rawValue: "job/\(token)")
        let lease = Lease(task: id, worker: life.id, token: token, expiry: 0)
        let spec = NewTask(
            id: id, job: job.id, kind: .task, name: role?.taskName ?? "t", input: .inline([]),
            resources: Resources(milliCPUs: milliCPUs),
            labels: role.map { [$0.label(of: job.id)] } ?? [], retry: .task)
        let task = TaskRecord(
            spec: spec, state: .running(lease), attempt: 1, history: [], createdAt: 0)
        return Grant(task: task, lease: lease, job: job, isAhead: isAhead)
    }

    private mutating func claim(_ grants: Grant...) -> [Int64] {
        life.claimed(
            ClaimReply(endings: [], grants: grants, nextDueInMilliseconds: nil),
            sent: life.endings.count
        ).map(\.lease.token)
    }

    /// Runs tasks of this length, one after the other, and answers the last one's successor.
    @discardableResult
    private mutating func run(
        _ tokens: Range<Int64>, microseconds: Int64, of role: ActorTask? = nil
    ) -> Grant? {
        var next: Grant?
        for token in tokens {
            _ = claim(grant(token, of: role))
            if let attempt = life.ended(token, .released) {
                next = life.next(after: attempt, microseconds: microseconds)
            }
        }
        return next
    }

    @Test("Ahead comes what is short, and only where its kind runs already")
    mutating func offers() {
        run(1..<40, microseconds: 400)
        #expect(life.claimRequest.ahead.isEmpty, "nothing of it runs")
        _ = claim(grant(50))
        #expect(life.claimRequest.ahead.map(\.count) == [32])
        #expect(life.claimRequest.ahead.first?.shape == TaskShape(grant(1).task.spec).text)
    }

    @Test("Calls of an actor never come ahead, however short they are, nor do its lives")
    mutating func actors() {
        for role in [ActorTask.call(instance: "c/0"), .life(instance: "c/0")] {
            run(1..<40, microseconds: 100, of: role)
            _ = claim(grant(50, of: role))
            #expect(life.claimRequest.ahead.isEmpty)
            let attempt = life.ended(50, .released)
            #expect(attempt != nil)
            // A store that grants one ahead all the same has it run at once, or back.
            #expect(claim(grant(51, isAhead: true, of: role)) == [51])
            #expect(claim(grant(52, isAhead: true, of: role)) == [])
            life.ended(51, .released)
        }
    }

    @Test("What takes long is asked for one by one, also after short ones")
    mutating func longTasks() {
        run(1..<40, microseconds: 400)
        run(40..<60, microseconds: 9_000_000)
        _ = claim(grant(60))
        #expect(life.claimRequest.ahead.isEmpty)
    }

    @Test("A task ahead takes nothing until the one before it ends, then its place")
    mutating func takesThePlace() throws {
        #expect(claim(grant(1), grant(2, isAhead: true), grant(3, isAhead: true)) == [1])
        #expect(life.free.milliCPUs == 0)
        #expect(life.leases.map(\.token) == [1, 2, 3])
        #expect(life.isWaiting(2) && !life.isWaiting(1))
        let firstEnd = life.ended(1, .released)
        let first = try #require(firstEnd)
        #expect(life.next(after: first, microseconds: 1)?.lease.token == 2)
        #expect(life.free.milliCPUs == 0)
        #expect(!life.isWaiting(2))
        let secondEnd = life.ended(2, .released)
        let second = try #require(secondEnd)
        #expect(life.next(after: second, microseconds: 1)?.lease.token == 3)
        let thirdEnd = life.ended(3, .released)
        let third = try #require(thirdEnd)
        #expect(life.next(after: third, microseconds: 1) == nil)
        #expect(life.free == life.offer.resources)
    }

    @Test("Ahead of a slot that is gone, a task starts where there is room, or goes back")
    mutating func slotIsGone() {
        #expect(claim(grant(1, isAhead: true)) == [1])
        #expect(life.free.milliCPUs == 0)
        #expect(claim(grant(2, isAhead: true, milliCPUs: 500)) == [])
        #expect(life.endings.map(\.lease.token) == [2])
        #expect(life.endings.map(\.outcome) == [.released])
    }

    @Test("What waits too long goes back, what runs stays")
    mutating func handsBack() {
        _ = claim(grant(1), grant(2, isAhead: true), grant(3, isAhead: true))
        #expect(life.handBackWaiting([1, 2, 9]) == 1)
        #expect(life.endings.map(\.lease.token) == [2])
        #expect(life.leases.map(\.token) == [1, 3])
        #expect(life.free.milliCPUs == 0)
        #expect(Set(life.handBack().map(\.lease.token)) == [1, 2, 3])
        #expect(life.free == life.offer.resources)
    }
}
