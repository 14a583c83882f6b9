@testable import Jobs

/// How attempts end and tasks are tried again.
extension ContractCase {
    static let endings: [ContractCase] = [
        ContractCase("A crash is tried again after its delay, and a claim says when") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.task
            policy.delayInMilliseconds = 40
            let task = makeTask("t", job: "a", retry: policy)
            try await bench.add([task], driver)
            let crash = AttemptOutcome.crashed(message: "gone", exitCode: nil, signal: 9)
            try equal(try await bench.finish(try await bench.claimOne(), crash), .committed)
            let early = try await bench.claim()
            try equal(early.grants.count, 0, "too early")
            try check((20...40).contains(early.nextDueInMilliseconds ?? 0), "says when")
            try await bench.pass(40)
            let second = try await bench.claim()
            try equal(second.grants.first?.task.attempt, 2)
            try equal(second.nextDueInMilliseconds, nil)
            try equal(try await bench.store.job(.a)?.tasksRetried, 1)
            _ = try await bench.finish(second.grants[0].lease, crash)
            let due = try await bench.claim().nextDueInMilliseconds ?? 0
            try check((40...80).contains(due), "the delay doubles, not \(due)")
        },
        ContractCase("Attempts are bounded; the last failure and every cause are kept") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a", retry: .immediate)
            try await bench.add([task], driver)
            for code in Int32(1)...4 {
                _ = try await bench.finish(
                    try await bench.claimOne("w-\(code)"),
                    .crashed(message: "m\(code)", exitCode: code, signal: nil))
            }
            try equal(
                try await bench.state(task),
                .failed(TaskFailure(kind: .crash, message: "m4", exitCode: 4)))
            let record = try await bench.store.tasks([task.id])[0]
            try equal(record?.history.map(\.cause), (1...4).map { "exit code \($0)" })
            try equal(record?.history.map(\.worker.rawValue), (1...4).map { "w-\($0)" })
            try equal(record?.history.map(\.number), [1, 2, 3, 4])
            try equal(try await bench.claim().grants.count, 0)
            let job = try await bench.store.job(.a)
            try equal(job?.tasksFailed, 1)
            try equal(job?.tasksRetried, 3)
        },
        ContractCase("Only the newest attempts are remembered") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.attemptsMax = 40
            let task = makeTask("t", job: "a", retry: policy)
            try await bench.add([task], driver)
            for number in 1...20 {
                _ = try await bench.finish(
                    try await bench.claimOne(), .failed(message: "m\(number)"))
            }
            let history = try await bench.store.tasks([task.id])[0]?.history
            try equal(history?.map(\.number), Array(5...20))
        },
        ContractCase("An error fails the task unless its policy says otherwise") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let text = "first \"line\"\nsecond \u{1F333}"
            _ = try await bench.finish(try await bench.claimOne(), .failed(message: text))
            try equal(
                try await bench.state(task), .failed(TaskFailure(kind: .error, message: text)))
            try equal(
                try await bench.store.tasks([task.id])[0]?.history.first?.cause, "first \"line\"")
        },
        ContractCase("A released task keeps its place and its attempts") { bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a"), makeTask("u", job: "a")], driver)
            let lease = try await bench.claimOne()
            try equal(try await bench.finish(lease, .released), .committed)
            try equal(try await bench.finish(lease, .released), .duplicate)
            let grants = try await bench.claim("w-2").grants
            try equal(grants.map(\.task.spec.name), ["t", "u"])
            try equal(grants.map(\.task.attempt), [1, 1])
            try equal(try await bench.store.job(.a)?.tasksRetried, 0)
        },
        ContractCase("A task that every worker loses ends as lost") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.driver
            policy.attemptsMax = 2
            let task = makeTask("t", job: "a", retry: policy)
            try await bench.add([task], driver)
            for worker in ["w-1", "w-2"] {
                _ = try await bench.claimOne(worker, lease: 5)
                try await bench.pass(10)
            }
            try equal(try await bench.claim().grants.count, 0)
            try equal(
                try await bench.state(task),
                .failed(TaskFailure(kind: .lost, message: "w-2 stopped answering")))
        },
        ContractCase("Results of all sizes and kinds come back as they were") { bench in
            let driver = try await bench.drive("a")
            let digest = BlobFiles.digest(of: [])
            let results: [Payload] = [
                .inline([]), .inline([0, 1, 255, 10, 13, 36]),
                .inline([UInt8](repeating: 7, count: Payload.inlineMax)),
                .blob(digest: digest, sizeInBytes: 1 << 40),
            ]
            for (index, result) in results.enumerated() {
                let task = makeTask("t\(index)", job: "a")
                try await bench.add([task], driver)
                _ = try await bench.finish(try await bench.claimOne(), .succeeded(result))
                try equal(try await bench.state(task), .succeeded(result))
            }
        },
        ContractCase("An attempt its worker cancelled is cancelled") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            _ = try await bench.finish(try await bench.claimOne(), .cancelled(by: "the driver"))
            try equal(try await bench.state(task), .cancelled(by: "the driver"))
        },
        ContractCase("A driver cancels tasks: at once, or by heartbeat") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.delayInMilliseconds = 20
            let tasks = (0..<4).map { makeTask("t\($0)", job: "a", retry: policy) }
            try await bench.add(tasks, driver)
            let delayed = try await bench.claimOne()
            _ = try await bench.finish(delayed, .failed(message: "x"))
            let running = try await bench.claimOne()
            let ids = tasks[..<3].map(\.id) + [TaskID(rawValue: "b/x"), driver.task]
            try await bench.store.cancel(ids, by: "the driver", under: driver)
            try await bench.store.cancel(ids, by: "late", under: driver)
            try equal(try await bench.state(tasks[0]), .cancelled(by: "the driver"))
            try equal(try await bench.state(tasks[2]), .cancelled(by: "the driver"))
            try equal(
                try await bench.store.tasks([running.task])[0]?.cancelRequestedBy, "the driver")
            try equal(try await bench.heartbeat("w-1", [running]).cancelled, [running])
            try equal(try await bench.heartbeat("driver-host", [driver]).cancelled, [])
            _ = try await bench.finish(running, .failed(message: "y"))
            try equal(try await bench.state(tasks[1]), .cancelled(by: "the driver"))
            try await bench.pass(30)
            try equal(try await bench.claim().grants.map(\.task.spec.name), ["t3"])
            try equal(try await bench.state("a"), .active(.running(worker: "driver-host")))
            let forged = Lease(
                task: driver.task, worker: driver.worker, token: driver.token + 1, expiry: 0)
            try await refuses(.leaseLost(driver.task)) {
                try await bench.store.cancel([tasks[3].id], by: "x", under: forged)
            }
            _ = try await bench.store.stop(.a, by: "me")
            try await refuses(.jobOver(.a)) {
                try await bench.store.cancel([tasks[3].id], by: "x", under: driver)
            }
        },
    ]

    /// A job's life follows its driver's; a stop reaches everything it has.
    static let jobs: [ContractCase] = [
        ContractCase("The job ends as its driver ends") { bench in
            let ends: [(AttemptOutcome, JobState)] = [
                (.succeeded(.inline([])), .succeeded(result: nil)),
                (.succeeded(.inline([1])), .succeeded(result: .inline([1]))),
                (
                    .crashed(message: "x", exitCode: 3, signal: nil),
                    .failed(TaskFailure(kind: .crash, message: "x", exitCode: 3))
                ),
                (.failed(message: "y"), .failed(TaskFailure(kind: .error, message: "y"))),
                (.cancelled(by: "z"), .stopped(by: "z")),
            ]
            for (index, (outcome, state)) in ends.enumerated() {
                let lease = try await bench.drive("j\(index)")
                try equal(
                    try await bench.state("j\(index)"), .active(.running(worker: "driver-host")))
                try equal(try await bench.finish(lease, outcome), .committed)
                try equal(try await bench.state("j\(index)"), state)
                let job = try await bench.store.job(JobID(rawValue: "j\(index)") ?? .fallback)
                try check(job?.endedAt != nil && job?.startedAt != nil, "times are kept")
                try equal(job?.driverAttempts, 1)
            }
        },
        ContractCase("A lost driver runs again elsewhere; when all are lost the job fails") {
            bench in
            _ = try await bench.submit(
                "a", .script(fileName: "a.swift", digest: "d", arguments: []))
            for attempt in 1...4 {
                let reply = try await bench.claim("w-\(attempt)", drivers: 1, lease: 5)
                try equal(reply.grants.first?.task.attempt, attempt)
                try equal(
                    try await bench.state("a"), .active(.compiling(worker: "w-\(attempt)")))
                try await bench.pass(10)
                _ = try await bench.claim("other")
                if attempt < 4 { try equal(try await bench.state("a"), .active(.queued)) }
            }
            let lost = TaskFailure(kind: .lost, message: "w-4 stopped answering")
            try equal(try await bench.state("a"), .failed(lost))
            try equal(try await bench.store.job(.a)?.driverAttempts, 4)
        },
        ContractCase("A queued job stops at once") { bench in
            _ = try await bench.submit("a")
            try equal(try await bench.store.stop(.a, by: "me")?.state, .stopped(by: "me"))
            try equal(try await bench.store.stop(.a, by: "you")?.state, .stopped(by: "me"))
            try equal(try await bench.claim(drivers: 9).grants.count, 0)
            try equal(
                try await bench.store.tasks([.driver(of: .a)])[0]?.state, .cancelled(by: "me"))
            try equal(try await bench.store.stop(.fallback, by: "me"), nil, "an unknown job")
        },
        ContractCase("A stop cancels waiting tasks at once and running ones by heartbeat") {
            bench in
            let driver = try await bench.drive("a")
            let tasks = (0..<3).map { makeTask("t\($0)", job: "a", retry: .immediate) }
            try await bench.add(tasks, driver)
            let first = try await bench.claimOne("w-1")
            let second = try await bench.claimOne("w-1")
            try equal(try await bench.store.stop(.a, by: "me")?.state, .stopping(by: "me"))
            try equal(try await bench.store.stop(.a, by: "you")?.state, .stopping(by: "me"))
            try equal(try await bench.state(tasks[2]), .cancelled(by: "me"))
            try equal(try await bench.store.tasks([first.task])[0]?.cancelRequestedBy, "me")
            let told = try await bench.heartbeat("w-1", [first, second])
            try equal(told, HeartbeatReply(lost: [], cancelled: [first, second]))
            try equal(
                try await bench.finish(first, .crashed(message: "x", exitCode: nil, signal: 15)),
                .committed)
            try equal(try await bench.finish(second, .released), .committed)
            try equal(try await bench.state(tasks[0]), .cancelled(by: "me"))
            try equal(try await bench.state(tasks[1]), .cancelled(by: "me"))
            try equal(try await bench.claim().grants.count, 0, "nothing is tried again")
            try await refuses(.jobOver(.a)) {
                try await bench.add([makeTask("n", job: "a")], driver)
            }
            try equal(try await bench.heartbeat("driver-host", [driver]).cancelled, [driver])
            let crash = AttemptOutcome.crashed(message: "x", exitCode: nil, signal: 15)
            try equal(try await bench.finish(driver, crash), .committed)
            try equal(try await bench.state("a"), .stopped(by: "me"))
        },
        ContractCase("A success that comes before the stop was heard stands") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne()
            _ = try await bench.store.stop(.a, by: "me")
            _ = try await bench.finish(lease, .succeeded(.inline([1])))
            _ = try await bench.finish(driver, .succeeded(.inline([2])))
            try equal(try await bench.state(task), .succeeded(.inline([1])))
            try equal(try await bench.state("a"), .succeeded(result: .inline([2])))
        },
        ContractCase("A failure without a retry after a stop is a cancel") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne()
            _ = try await bench.store.stop(.a, by: "me")
            _ = try await bench.finish(lease, .failed(message: "x"))
            try equal(try await bench.state(task), .cancelled(by: "me"))
            try equal(try await bench.store.job(.a)?.tasksFailed, 0)
        },
        ContractCase("A lost driver of a job that is stopping ends the job") { bench in
            _ = try await bench.submit("a")
            _ = try await bench.claimOne(drivers: 1, lease: 5)
            _ = try await bench.store.stop(.a, by: "me")
            try await bench.pass(10)
            try equal(try await bench.claim(drivers: 9).grants.count, 0)
            try equal(try await bench.state("a"), .stopped(by: "me"))
        },
        ContractCase("When a job ends its other tasks end, but finished work is kept") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.delayInMilliseconds = 20
            let tasks = (0..<4).map { makeTask("t\($0)", job: "a", retry: policy) }
            try await bench.add(tasks, driver)
            let delayed = try await bench.claimOne()
            _ = try await bench.finish(delayed, .failed(message: "later"))
            let running = try await bench.claimOne()
            let other = try await bench.claimOne()
            _ = try await bench.finish(driver, .failed(message: "x"))
            let end = TaskState.cancelled(by: JobRecord.endOfJob)
            try equal(try await bench.state(tasks[0]), end)
            try equal(try await bench.state(tasks[3]), end)
            try equal(try await bench.claim().grants.count, 0)
            try await bench.pass(30)
            try equal(try await bench.claim().grants.count, 0, "not after its delay either")
            try equal(try await bench.heartbeat("w-1", [running]).cancelled, [running])
            try equal(try await bench.finish(running, .succeeded(.inline([9]))), .committed)
            try equal(try await bench.state(tasks[1]), .succeeded(.inline([9])))
            try equal(try await bench.finish(other, .failed(message: "y")), .committed)
            try equal(try await bench.state(tasks[2]), end)
            try equal(
                try await bench.state("a"), .failed(TaskFailure(kind: .error, message: "x")))
        },
        ContractCase("Only the driver's holder reports the phase, and only of an active job") {
            bench in
            _ = try await bench.submit(
                "a", .script(fileName: "a.swift", digest: "d", arguments: []))
            let lease = try await bench.claimOne(drivers: 1)
            try equal(try await bench.state("a"), .active(.compiling(worker: "w-1")))
            try equal(try await bench.store.job(.a)?.startedAt, nil)
            for forged in [
                Lease(task: lease.task, worker: lease.worker, token: lease.token + 1, expiry: 0),
                Lease(
                    task: lease.task, worker: WorkerID(rawValue: "w-2"), token: lease.token,
                    expiry: 0),
                Lease(
                    task: TaskID(rawValue: "a/x"), worker: lease.worker, token: lease.token,
                    expiry: 0),
            ] {
                try await refuses(.leaseLost(forged.task)) {
                    try await bench.store.report(.running(worker: "x"), of: .a, under: forged)
                }
            }
            try equal(try await bench.state("a"), .active(.compiling(worker: "w-1")))
            _ = try await bench.store.stop(.a, by: "me")
            try await bench.store.report(.running(worker: "n-1"), of: .a, under: lease)
            try equal(try await bench.state("a"), .stopping(by: "me"))
            try equal(try await bench.store.job(.a)?.startedAt, nil)
            let other = try await bench.drive("b")
            let id = JobID(rawValue: "b") ?? .fallback
            try await bench.store.report(.running(worker: "n-1"), of: id, under: other)
            try equal(try await bench.state("b"), .active(.running(worker: "n-1")))
        },
        ContractCase("Work whose driver is lost for good in the same moment ends with the job") {
            bench in
            _ = try await bench.submit("a")
            for number in 1...3 {
                _ = try await bench.claimOne("w-\(number)", drivers: 1, lease: 100)
                try await bench.pass(100)
            }
            let driver = try await bench.claimOne("w-4", drivers: 1, lease: 100)
            let task = makeTask("t", job: "a", retry: .immediate)
            try await bench.add([task], driver)
            _ = try await bench.claimOne("w-5", lease: 101)
            try await bench.pass(200)
            try equal(try await bench.claim().grants.count, 0)
            try equal(try await bench.state(task), .cancelled(by: JobRecord.endOfJob))
            guard case .failed? = try await bench.state("a") else {
                throw ContractFailure(description: "the job goes on without a driver")
            }
        },
    ]
}
