import Testing

@testable import Jobs

private func makeJob(_ entrypoint: Entrypoint = .command("true")) -> JobRecord {
    JobRecord(
        spec: NewJob(id: .fallback, entrypoint: entrypoint), state: .active(.queued),
        submittedAt: 1)
}

private func driver(_ state: TaskState, of job: JobRecord) -> TaskRecord {
    TaskRecord(spec: job.spec.driver, state: state, attempt: 1, history: [], createdAt: 0)
}

@Suite struct JobLifeTests {
    private let worker = WorkerID(rawValue: "w-1")

    @Test("A script's driver compiles first, a command's runs at once")
    func phases() {
        let script = makeJob(.script(fileName: "a.swift", digest: "d", arguments: []))
            .granting(driverTo: worker, at: 5)
        #expect(script.state == .active(.compiling(worker: "w-1")))
        #expect(script.startedAt == nil)
        #expect(script.driverAttempts == 1)
        let running = script.entering(.running(worker: "w-1"), at: 9)
        #expect(running.startedAt == 9)
        #expect(running.entering(.running(worker: "w-2"), at: 12).startedAt == 9)
        let command = makeJob().granting(driverTo: worker, at: 5)
        #expect(command.state == .active(.running(worker: "w-1")))
    }

    @Test("The job ends as its driver ends, and never again")
    func ends() {
        let job = makeJob()
        let crash = TaskFailure(kind: .crash, message: "x", exitCode: 3)
        let ends: [(TaskState, JobState)] = [
            (.succeeded(.inline([])), .succeeded(result: nil)),
            (.succeeded(.inline([1])), .succeeded(result: .inline([1]))),
            (.failed(crash), .failed(crash)),
            (.cancelled(by: "me"), .stopped(by: "me")),
        ]
        for (end, expected) in ends {
            let ended = job.following(driver: driver(end, of: job), at: 7)
            #expect(ended.state == expected)
            #expect(ended.endedAt == 7)
            for (other, _) in ends {
                #expect(ended.following(driver: driver(other, of: job), at: 8) == ended)
            }
            #expect(ended.stopping(by: "late") == ended)
            #expect(ended.entering(.queued, at: 9) == ended)
        }
    }

    @Test("A lost driver that is tried again puts the job back into the queue")
    func lostDriver() {
        let job = makeJob().granting(driverTo: worker, at: 1)
        let queued = job.following(driver: driver(.waiting(notBefore: 2), of: job), at: 2)
        #expect(queued.state == .active(.queued))
    }

    @Test("Stopping keeps the first asker; a success before the stop was heard stands")
    func stop() {
        let stopping = makeJob().granting(driverTo: worker, at: 1).stopping(by: "a")
        #expect(stopping.stopping(by: "b").state == .stopping(by: "a"))
        #expect(stopping.entering(.queued, at: 2) == stopping)
        let ended = stopping.following(driver: driver(.succeeded(.inline([])), of: stopping), at: 3)
        #expect(ended.state == .succeeded(result: nil))
    }

    @Test("Counters follow the tasks; the driver is not counted")
    func counters() throws {
        let task = TaskRecord(
            spec: makeTask(), state: .waiting(notBefore: 0), attempt: 0, history: [], createdAt: 0)
        let lease = Lease(task: task.spec.id, worker: worker, token: 1, expiry: 9)
        var job = makeJob().counting(task, was: nil)
        #expect(job.tasksTotal == 1)
        let running = try task.granting(lease, at: 0)
        job = job.counting(running, was: task)
        let back = try running.ending(with: .released, under: lease, at: 1)
        #expect(job.counting(back, was: running).tasksRetried == 0)
        let lost = try running.expiring(at: 9)
        #expect(job.counting(lost, was: running).tasksRetried == 1)
        let done = try running.ending(with: .succeeded(.inline([])), under: lease, at: 1)
        #expect(job.counting(done, was: running).tasksSucceeded == 1)
        #expect(job.counting(driver(.running(lease), of: job), was: nil).tasksTotal == 1)
    }

    @Test("One builder at a time; an abandoned or overdue build is free again")
    func builds() {
        let second = WorkerID(rawValue: "w-2")
        var tokens: Int64 = 0
        func begin(_ kept: BuildState?, _ who: WorkerID, _ now: Int64) -> (BuildRecord, BuildState)
        {
            let (answer, kept) = BuildRecord.beginning(kept, by: who, at: now) {
                tokens += 1
                return tokens
            }
            return (answer, kept)
        }
        let (first, building) = begin(nil, worker, 0)
        #expect(first == .granted(token: 1, expiry: 10_000))
        #expect(begin(building, second, 5).0 == .building(by: worker))
        #expect(begin(building, worker, 5).0 == .granted(token: 1, expiry: 10_005))
        let (taken, newer) = begin(building, second, 10_000)
        #expect(taken == .granted(token: 2, expiry: 20_000))
        #expect(BuildRecord.ending(newer, token: 1, outcome: .abandoned) == nil)
        let failed = BuildRecord.ending(newer, token: 2, outcome: .failed(diagnostics: "no"))
        #expect(begin(failed, worker, 0).0 == .ended(.failed(diagnostics: "no")))
        let again = BuildRecord.ending(failed, token: 2, outcome: .abandoned)
        #expect(again == failed)
        let free = BuildRecord.ending(newer, token: 2, outcome: .abandoned)
        #expect(begin(free, worker, 0).0 == .granted(token: 3, expiry: 10_000))
    }
}
