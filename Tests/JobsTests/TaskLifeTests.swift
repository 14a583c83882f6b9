import Testing

@testable import Jobs

/// A task with everything defaulted that a test does not care about.
func makeTask(
    _ name: String = "growTrees", job: String = "job-1", input: [UInt8] = [1, 2, 3],
    resources: Resources = Resources(milliCPUs: 1_000), labels: Set<String> = [],
    priority: Int = 0, retry: RetryPolicy = .task, deadlines: Deadlines = Deadlines()
) -> NewTask {
    let job = JobID(rawValue: job) ?? JobID.fallback
    let id = TaskID.task(
        of: job, name: name, inputDigest: BlobFiles.digest(of: input), occurrence: 0)
    return NewTask(
        id: id, job: job, kind: .task, name: name, input: .inline(input), resources: resources,
        labels: labels, priority: priority, retry: retry, deadlines: deadlines)
}

extension JobID {
    static let fallback = NewTask.knownJob
}

extension NewTask {
    fileprivate static let knownJob: JobID = {
        guard let id = JobID(rawValue: "job-1") else { preconditionFailure("job-1 is valid") }
        return id
    }()
}

private func waiting(_ task: NewTask = makeTask()) -> TaskRecord {
    TaskRecord(spec: task, state: .waiting(notBefore: 0), attempt: 0, history: [], createdAt: 0)
}

private func lease(_ token: Int64, expiry: Int64 = 1_000, worker: String = "w-1") -> Lease {
    Lease(task: makeTask().id, worker: WorkerID(rawValue: worker), token: token, expiry: expiry)
}

@Suite struct TaskLifeTests {
    @Test("A grant begins an attempt, and only a task that is due is granted")
    func grant() throws {
        let running = try waiting().granting(lease(1), at: 0)
        #expect(running.attempt == 1)
        #expect(running.state == .running(lease(1)))
        #expect(throws: TaskLifeError.notClaimable(makeTask().id)) {
            try running.granting(lease(2), at: 0)
        }
        var later = waiting()
        later.state = .waiting(notBefore: 5)
        #expect(throws: TaskLifeError.notClaimable(makeTask().id)) {
            try later.granting(lease(1), at: 4)
        }
    }

    @Test("Only the holder of the current token ends an attempt")
    func fencing() throws {
        let running = try waiting().granting(lease(2), at: 0)
        for stranger in [lease(1), lease(2, worker: "w-2"), lease(3)] {
            #expect(throws: TaskLifeError.leaseLost(makeTask().id)) {
                try running.ending(with: .succeeded(.inline([])), under: stranger, at: 1)
            }
        }
        let done = try running.ending(with: .succeeded(.inline([7])), under: lease(2), at: 1)
        #expect(done.state == .succeeded(.inline([7])))
    }

    @Test("A repeated ending is a duplicate and changes nothing")
    func duplicate() throws {
        let done = try waiting().granting(lease(1), at: 0)
            .ending(with: .succeeded(.inline([1])), under: lease(1), at: 1)
        #expect(throws: TaskLifeError.duplicate(makeTask().id)) {
            try done.ending(with: .succeeded(.inline([2])), under: lease(1), at: 2)
        }
    }

    @Test("A released attempt does not count and waits at once")
    func release() throws {
        let back = try waiting().granting(lease(1), at: 0)
            .ending(with: .released, under: lease(1), at: 9)
        #expect(back.attempt == 0)
        #expect(back.history.isEmpty)
        #expect(back.state == .waiting(notBefore: 9))
    }

    @Test("A crash is retried with doubling delays until the attempts are used up")
    func crashes() throws {
        var task = waiting()
        var now: Int64 = 0
        for attempt in 1...4 {
            task = try task.granting(lease(Int64(attempt)), at: now)
            task = try task.ending(
                with: .crashed(message: "x", exitCode: nil, signal: 9),
                under: lease(Int64(attempt)), at: now)
            if attempt < 4 {
                let delay = RetryPolicy.task.delay(afterAttempt: attempt, of: task.spec.id)
                #expect((Int64(50 << (attempt - 1))...Int64(100 << (attempt - 1))).contains(delay))
                #expect(task.state == .waiting(notBefore: now + delay))
                now += delay
            }
        }
        #expect(task.state == .failed(TaskFailure(kind: .crash, message: "x", signal: 9)))
        #expect(task.history.map(\.number) == [1, 2, 3, 4])
        #expect(task.history.allSatisfy { $0.cause == "signal 9 (SIGKILL)" })
    }

    @Test("An error ends the task unless its policy retries errors")
    func errors() throws {
        let once = try waiting().granting(lease(1), at: 0)
            .ending(with: .failed(message: "no\nmore"), under: lease(1), at: 1)
        #expect(once.state == .failed(TaskFailure(kind: .error, message: "no\nmore")))
        #expect(once.history.first?.cause == "no")
        var policy = RetryPolicy.task
        policy.retriesErrors = true
        let again = try waiting(makeTask(retry: policy)).granting(lease(1), at: 0)
            .ending(with: .failed(message: "no"), under: lease(1), at: 1)
        #expect(
            again.state == .waiting(notBefore: 1 + policy.delay(afterAttempt: 1, of: makeTask().id))
        )
    }

    @Test("An overdue lease is an attempt that was lost, whatever the policy says of crashes")
    func expiry() throws {
        var policy = RetryPolicy.driver
        policy.attemptsMax = 2
        let running = try waiting(makeTask(retry: policy)).granting(lease(1, expiry: 10), at: 0)
        #expect(throws: TaskLifeError.notOverdue(makeTask().id)) { try running.expiring(at: 9) }
        let lost = try running.expiring(at: 10)
        #expect(lost.state == .waiting(notBefore: 10))
        #expect(lost.history.map(\.cause) == ["w-1 stopped answering"])
        #expect(lost.history.map(\.wasEndedByStore) == [true])
        #expect(throws: TaskLifeError.leaseLost(makeTask().id)) {
            try lost.ending(with: .succeeded(.inline([])), under: lease(1), at: 11)
        }
        let gone = try lost.granting(lease(2, expiry: 20), at: 10).expiring(at: 20)
        #expect(
            gone.state == .failed(TaskFailure(kind: .lost, message: "w-1 stopped answering")))
    }

    @Test("A cancel takes a waiting task at once and a running one through its worker")
    func cancel() throws {
        #expect(waiting().cancelling(by: "me").state == .cancelled(by: "me"))
        let asked = try waiting().granting(lease(1), at: 0).cancelling(by: "me")
        #expect(asked.state == .running(lease(1)))
        for outcome in [
            AttemptOutcome.failed(message: "x"), .released, .cancelled(by: "worker"),
            .crashed(message: "x", exitCode: 1, signal: nil),
        ] {
            let ended = try asked.ending(with: outcome, under: lease(1), at: 1)
            #expect(ended.state == .cancelled(by: "me"))
        }
        #expect(try asked.expiring(at: 1_000).state == .cancelled(by: "me"))
        let won = try asked.ending(with: .succeeded(.inline([1])), under: lease(1), at: 1)
        #expect(won.state == .succeeded(.inline([1])))
        #expect(won.cancelling(by: "you").state == won.state)
    }

    @Test("Delays double up to thirty seconds and never overflow")
    func delays() {
        let policy = RetryPolicy(
            attemptsMax: 100, retriesErrors: true, retriesCrashes: true, delayInMilliseconds: 100)
        #expect([1, 2, 3].map { policy.delay(afterAttempt: $0) } == [100, 200, 400])
        #expect(policy.delay(afterAttempt: 10) == 30_000)
        #expect(policy.delay(afterAttempt: .max) == 30_000)
        var wild = policy
        wild.delayInMilliseconds = .max
        #expect(wild.delay(afterAttempt: 60) == 30_000)
        wild.delayInMilliseconds = -5
        #expect(wild.delay(afterAttempt: 1) == 0)
    }

    @Test("Messages are cut at whole characters")
    func messages() {
        let long = String(repeating: "é", count: AttemptOutcome.messageMaxInBytes)
        guard case .failed(let message) = AttemptOutcome.failed(message: long).bounded else {
            Issue.record("the case changed")
            return
        }
        #expect(message.utf8.count == AttemptOutcome.messageMaxInBytes)
        #expect("aé".prefix(maxBytes: 2) == "a")
        #expect("😀".prefix(maxBytes: 3) == "")
    }

    @Test(
        "Whatever happens: one committed end, terminal for ever, attempts bounded",
        arguments: 0..<20)
    func model(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        for _ in 0..<200 {
            var policy = RetryPolicy.task
            policy.attemptsMax = Int.random(in: 1...4, using: &random)
            policy.retriesErrors = Bool.random(using: &random)
            var task = waiting(makeTask(retry: policy))
            var token: Int64 = 0
            var known: [Lease] = []
            for step in 0..<40 {
                let now = Int64(step) * 100
                let before = task
                task =
                    TaskEvent.allCases.randomElement(using: &random)
                    .flatMap { apply($0, to: task, at: now, &token, &known, &random) } ?? task
                if let broken = brokenRule(task, was: before, policy, newestToken: token) {
                    Issue.record("step \(step): \(broken)")
                    return
                }
            }
        }
    }

    /// A plain check: hundreds of thousands of `#expect`s would take longer than everything else.
    private func brokenRule(
        _ task: TaskRecord, was before: TaskRecord, _ policy: RetryPolicy, newestToken: Int64
    ) -> String? {
        if before.state.isTerminal, task.state != before.state {
            return "a terminal state changed to \(task.state)"
        }
        if task.attempt > policy.attemptsMax { return "attempt \(task.attempt)" }
        if task.history.count > policy.attemptsMax { return "\(task.history.count) attempts kept" }
        if case .running(let lease) = task.state, lease.token != newestToken {
            return "an old lease runs"
        }
        return nil
    }

    private enum TaskEvent: CaseIterable {
        case grant, end, endOld, expire, cancel
    }

    private func apply(
        _ event: TaskEvent, to task: TaskRecord, at now: Int64, _ token: inout Int64,
        _ known: inout [Lease], _ random: inout SplitMix
    ) -> TaskRecord? {
        let outcomes: [AttemptOutcome] = [
            .succeeded(.inline([1])), .failed(message: "x"), .released, .cancelled(by: "w"),
            .crashed(message: "x", exitCode: 1, signal: nil),
        ]
        let outcome = outcomes[Int.random(in: 0..<outcomes.count, using: &random)]
        switch event {
        case .grant:
            let fresh = lease(token + 1, expiry: now + 150)
            guard let next = try? task.granting(fresh, at: now) else { return nil }
            token += 1
            known.append(fresh)
            return next
        case .end:
            return known.last.flatMap { try? task.ending(with: outcome, under: $0, at: now) }
        case .endOld:
            guard let old = known.dropLast().randomElement(using: &random) else { return nil }
            guard let stolen = try? task.ending(with: outcome, under: old, at: now) else {
                return nil
            }
            Issue.record("an old lease ended the attempt of a newer one")
            return stolen
        case .expire: return try? task.expiring(at: now)
        case .cancel:
            return Int.random(in: 0..<8, using: &random) == 0 ? task.cancelling(by: "me") : nil
        }
    }
}

/// A small repeatable generator.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
