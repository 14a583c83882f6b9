import Testing

@testable import Jobs

/// What people are told of jobs that wait, run and ended, from values alone.
@Suite struct ExplanationTests {
    private func situation(
        _ state: JobState = .active(.queued), change: (inout NewJob) -> Void = { _ in }
    ) -> JobSituation {
        var spec = newJob("j")
        change(&spec)
        let driver = TaskRecord(
            spec: spec.driver, state: .waiting(notBefore: 0), attempt: 0, history: [], createdAt: 0)
        return JobSituation(
            now: 1_000, job: JobRecord(spec: spec, state: state, submittedAt: 0), driver: driver,
            workers: [worker("a", 1_000, of: 2_000), worker("b", 2_000, of: 8_000)])
    }

    private func worker(_ name: String, _ free: Int, of total: Int) -> WorkerRecord {
        WorkerRecord(
            id: WorkerID(rawValue: name + "#0123ABCD"), name: name, host: "h", pid: 1,
            total: Resources(milliCPUs: total, memoryInBytes: 8 << 30),
            free: Resources(milliCPUs: free, memoryInBytes: 1 << 30), labels: [], version: "1",
            runningTasks: 0)
    }

    private func task(_ name: String, _ state: TaskState, cpus: Int = 1_000) -> TaskRecord {
        var spec = makeTask(name, job: "j")
        spec.resources.milliCPUs = cpus
        return TaskRecord(spec: spec, state: state, attempt: 0, history: [], createdAt: 0)
    }

    @Test("A job that needs more than is free names the largest room and who is ahead")
    func busy() {
        var job = situation { $0.driverResources.milliCPUs = 4_000 }
        job.jobsAhead = 3
        let explanation = job.explanation
        #expect(
            explanation.line
                == "needs 4 cpus; largest free 2 on worker b; 3 jobs ahead in pool default")
        #expect(explanation.state == "queued" && explanation.next == [])
        #expect(
            explanation.reasons[0]
                == JobReason(
                    .busy, "needs 4 cpus; largest free 2 on worker b", subject: "cpus", needs: 4,
                    has: 2, worker: "b"))
        #expect(explanation.reasons[1].kind == .jobsAhead)
    }

    @Test("A job that no worker could ever take is told so, for each thing it needs")
    func tooLarge() {
        #expect(
            situation { $0.driverResources.milliCPUs = 16_500 }.explanation.line
                == "needs 16.5 cpus; the largest worker of pool default has 8 (b)")
        #expect(
            situation { $0.driverResources.memoryInBytes = 16 << 30 }.explanation.line
                == "needs 16 GiB of memory; the largest worker of pool default has 8 GiB (a)")
        #expect(
            situation { $0.driverResources.gpus = 1 }.explanation.line
                == "needs 1 gpu; workers of pool default have none")
        #expect(
            situation { $0.driverResources.custom = ["licence": 500] }.explanation.line
                == "needs 0.5 licence; workers of pool default have none")
        #expect(situation { $0.driverResources.gpus = 2 }.explanation.reasons[0].kind == .tooLarge)
        var apart = situation { $0.driverResources = Resources(milliCPUs: 4_000, gpus: 1) }
        apart.workers[0].total.gpus = 1
        #expect(
            apart.explanation.line == "needs 4 cpus and 1 gpu at once; no worker has so much")
    }

    @Test("What is free on different workers does not fit together")
    func apart() {
        var job = situation {
            $0.driverResources = Resources(milliCPUs: 2_000, memoryInBytes: 3 << 29)
        }
        job.workers[0].free = Resources(milliCPUs: 500, memoryInBytes: 4 << 30)
        #expect(
            job.explanation.line
                == "needs 2 cpus and 1.5 GiB of memory at once; no worker has so much free")
        job.workers[1].free.milliCPUs = -3
        job.workers[0].free.milliCPUs = 0
        #expect(job.explanation.line == "needs 2 cpus; all are in use")
    }

    @Test("No worker, no pool, no label, no place for a driver")
    func nobody() {
        var none = situation()
        none.workers = []
        #expect(none.explanation.line == "no worker is alive")
        #expect(none.explanation.next == ["manta worker, or manta up"])
        let pool = situation { $0.pool = "gpu" }.explanation
        #expect(pool.line == "no worker serves pool gpu; workers serve default")
        #expect(pool.next == ["manta worker --pool gpu"])
        let script = situation { $0.driverLabels = ["toolchain"] }.explanation
        #expect(script.line == "needs label toolchain: no worker has swiftc and the job SDK")
        var labels = situation { $0.driverLabels = ["swift", "zone=a"] }
        #expect(
            labels.explanation.line
                == "needs labels swift, zone=a; workers of pool default have none")
        labels.workers[0].labels = ["swift"]
        #expect(
            labels.explanation.line == "needs label zone=a; workers of pool default have swift")
        labels.workers[1].labels = ["zone=a"]
        #expect(labels.explanation.line == "needs labels swift, zone=a; no worker has all of them")
        var full = situation()
        for index in full.workers.indices {
            (full.workers[index].driverSlots, full.workers[index].freeDriverSlots) = (16, 0)
        }
        #expect(full.explanation.line == "all 32 places for drivers in pool default are taken")
        full.workers[0].freeDriverSlots = 1
        #expect(full.explanation.line == "worker a has room and asks in a moment")
    }

    @Test("A job that comes after others names them and where they stand")
    func after() {
        var job = situation()
        let ids = ["p", "q", "r", "s", "t"].compactMap(JobID.init)
        job.job.waitsFor = ids
        job.before = [
            JobRecord(
                spec: newJob("p"), state: .active(.running(worker: "w")), submittedAt: 0),
            JobRecord(spec: newJob("r"), state: .stopping(by: "me"), submittedAt: 0),
        ]
        #expect(
            job.explanation.line
                == "waits for job p (running); waits for job q (unknown); "
                + "waits for job r (stopping); and for 2 more")
        #expect(job.explanation.next == ["job why p", "job why q", "job why r"])
    }

    @Test("A driver between two attempts says how long, and why the last one ended")
    func delay() {
        var job = situation()
        job.driver?.state = .waiting(notBefore: 13_000)
        job.driver?.attempt = 2
        job.driver?.history = [
            AttemptRecord(
                number: 2, worker: WorkerID(rawValue: "w#0123ABCD"),
                cause: "w#0123ABCD stopped answering", endedAt: 0)
        ]
        #expect(
            job.explanation.line
                == "waits 12 s before attempt 3; attempt 2 ended: w stopped answering")
        job.driver?.state = .waiting(notBefore: 1_201)
        #expect(job.explanation.line.hasPrefix("waits 0.3 s before attempt 3"))
    }

    @Test("A running job says what its tasks do and wait for")
    func running() {
        var job = situation(.active(.running(worker: "a#0123ABCD")))
        #expect(job.explanation.line == "runs on a")
        job.job.tasksTotal = 100
        job.job.tasksSucceeded = 40
        job.runningCount = 5
        job.waiting = [
            .init(first: task("grow", .waiting(notBefore: 0), cpus: 4_000), count: 50)
        ]
        job.jobsAhead = 1
        var late = task("late", .waiting(notBefore: 3_000))
        late.attempt = 1
        late.history = [
            AttemptRecord(
                number: 1, worker: WorkerID(rawValue: "a"), cause: "signal 9 (SIGKILL)", endedAt: 0)
        ]
        job.delayed = [late]
        job.dead = [task("dead", .failed(TaskFailure(kind: .error, message: "no\nmore")))]
        job.deadCount = 2
        let explanation = job.explanation
        #expect(
            explanation.reasons.map(\.text) == [
                "runs on a; 40 of 100 tasks done, 4 run",
                "50 grow wait: needs 4 cpus; largest free 2 on worker b",
                "1 job ahead in pool default",
                "late waits 2 s before attempt 2 (signal 9 (SIGKILL))",
                "2 tasks failed for good, the first: dead, no",
            ])
        #expect(explanation.next == ["job tasks j --dead"])
    }

    @Test(
        "A failed job says how its driver ended, and what to do next",
        arguments: [
            (
                TaskFailure(kind: .crash, message: "the driver ended with x", exitCode: 3),
                JobReason.Kind.exitCode, "its driver ended with exit code 3"
            ),
            (
                TaskFailure(kind: .crash, message: "the script does not compile", exitCode: 65),
                .exitCode, "the script does not compile"
            ),
            (
                TaskFailure(kind: .crash, message: "the driver ended with y", signal: 11),
                .signal, "its driver was ended by signal 11 (SIGSEGV)"
            ),
            (
                TaskFailure(
                    kind: .crash,
                    message: "the driver ended with signal 9 (SIGKILL): out of memory: it and what "
                        + "it started took 70 MiB of at most 64 MiB; its last lines:\nx",
                    signal: 9),
                .outOfMemory, "out of memory: it and what it started took 70 MiB of at most 64 MiB"
            ),
            (
                TaskFailure(
                    kind: .deadline, message: "job timeout 5 s exceeded on w-1#0123ABCD"),
                .deadline, "job timeout 5 s exceeded on w-1"
            ),
            (
                TaskFailure(kind: .lost, message: "w-1#0123ABCD stopped answering"),
                .lost, "its driver was started 4 times; the last: w-1 stopped answering"
            ),
            (TaskFailure(kind: .error, message: "no zip file\nx"), .error, "no zip file"),
        ])
    func failed(_ failure: TaskFailure, _ kind: JobReason.Kind, _ text: String) {
        var job = situation(.failed(failure))
        job.job.driverAttempts = 4
        let explanation = job.explanation
        #expect(explanation.state == "failed" && explanation.line == text)
        #expect(explanation.reasons[0].kind == kind)
        #expect(explanation.next.prefix(2) == ["job logs j", "job retry j"])
    }

    @Test("A failed job repeats its last line and names its dead tasks")
    func lastWords() {
        var job = situation(
            .failed(TaskFailure(kind: .crash, message: "the driver ended with 1", exitCode: 1)))
        job.driver?.history = [
            AttemptRecord(
                number: 1, worker: WorkerID(rawValue: "w"), cause: "exit code 1", endedAt: 0,
                lastLines: ["a", "error: task \"t\" was lost"])
        ]
        job.dead = [task("t", .failed(TaskFailure(kind: .crash, message: "x", signal: 9)))]
        job.deadCount = 1
        #expect(
            job.explanation.line
                == "its driver ended with exit code 1, after it said: error: task \"t\" was lost; "
                + "1 task failed for good: t, x")
        #expect(job.explanation.next == ["job logs j", "job tasks j --dead", "job retry j"])
    }

    @Test("A stopped job says by whom, or after which job it would have come")
    func stopped() {
        let user = situation(.stopped(by: "a user")).explanation
        #expect(user.line == "stopped by a user" && user.next == ["job retry j"])
        let follower = situation(.stopped(by: "job p, which failed")) {
            $0.after = ["o", "p"].compactMap(JobID.init)
        }.explanation
        #expect(follower.line == "stopped because it comes after job p, which failed")
        #expect(follower.reasons[0].subject == "p")
        #expect(follower.next == ["job why p", "job retry j"])
    }

    @Test("Jobs that are well say so")
    func well() {
        #expect(situation(.succeeded(result: nil)).explanation.line == "succeeded")
        #expect(
            situation(.active(.compiling(worker: "w#0123ABCD"))).explanation.line
                == "its script is compiled on w")
        #expect(situation(.stopping(by: "me")).explanation.line.hasPrefix("is being stopped by me"))
    }

    @Test("Bytes and numbers are written for people")
    func numbers() {
        #expect(
            [0, 1_023, 1 << 20, 3 << 29, 5 << 40].map(\Int64.inBinaryUnits) == [
                "0 B", "1023 B", "1 MiB", "1.5 GiB", "5 TiB",
            ])
        #expect([2.0, 0.5, -1, 1e300].map(\.plainText) == ["2", "0.5", "-1", "1e+300"])
    }
}
