@testable import Jobs

/// Pools and custom resources, retries, and jobs that come after others.
extension ContractCase {
    static let newLives: [ContractCase] = [
        ContractCase("Only workers of a job's pool get its driver and its tasks") { bench in
            var job = newJob("a")
            job.pool = "gpu-1"
            _ = try await bench.store.submit(job)
            try equal(try await bench.claim(drivers: 9).grants.count, 0, "the default pool")
            let driver = try await bench.claimOne(drivers: 1, pools: ["x", "gpu-1"])
            let licensed = makeTask(
                "l", job: "a", resources: Resources(custom: ["licence": 500, "odd,*;": 1]))
            try await bench.add([makeTask("t", job: "a"), licensed], driver)
            try equal(try await bench.claim().grants.count, 0)
            let custom = ["licence": 500, "odd,*;": 2, "more": 1]
            let grants = try await bench.claim(custom: custom, pools: ["gpu-1"]).grants
            try equal(grants.map(\.task.spec.name), ["t", "l"])
            try equal(grants.map(\.task.spec.pool), ["gpu-1", "gpu-1"])
            try equal(grants[1].task.spec.resources, licensed.resources)
            var wrong = newJob("b")
            wrong.pool = "no pool"
            let refused = wrong
            try await isFull { _ = try await bench.store.submit(refused) }
        },
        ContractCase("Custom resources are shared out in thousandths") { bench in
            let driver = try await bench.drive("a")
            let need = Resources(custom: ["licence": 400])
            try await bench.add(
                (0..<3).map { makeTask("t\($0)", job: "a", resources: need) }, driver)
            try equal(try await bench.claim().grants.count, 0, "nothing is offered")
            try equal(try await bench.claim(custom: ["licence": 399]).grants.count, 0)
            try equal(try await bench.claim(custom: ["licence": 999]).grants.count, 2)
            for amount in [0, -1, 1_000_000_001] {
                let task = makeTask(
                    "w", job: "a", resources: Resources(custom: ["licence": amount]))
                try await isFull { try await bench.add([task], driver) }
            }
        },
        ContractCase("A retried job keeps what succeeded and asks for the rest anew") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.attemptsMax = 2
            let tasks = ["done", "dead", "open", "new"].map {
                makeTask($0, job: "a", retry: policy)
            }
            try await bench.add(Array(tasks[..<3]), driver)
            let done = try await bench.claimOne()
            _ = try await bench.finish(done, .succeeded(.inline([7])))
            for _ in 0..<2 {
                _ = try await bench.finish(try await bench.claimOne(), .failed(message: "bad"))
            }
            _ = try await bench.finish(driver, .failed(message: "x"))
            let again = try await bench.store.retry(job: .a)
            try equal(again?.state, .active(.queued))
            try equal(again?.lives, 2)
            try equal(again?.endedAt, nil)
            try equal(again?.startedAt, nil)
            try equal(try await bench.store.retry(job: .a), again, "a repetition")
            try equal(try await bench.state(tasks[2]), .cancelled(by: JobRecord.endOfJob))
            try equal(try await bench.claim().grants.count, 0, "nothing was asked for")
            let second = try await bench.claimOne(drivers: 1)
            try check(second.token > driver.token, "tokens grow")
            try equal(try await bench.store.tasks([driver.task])[0]?.attempt, 1)
            try equal(try await bench.store.job(.a)?.driverAttempts, 2)
            try await refuses(.leaseLost(driver.task)) { try await bench.add(tasks, driver) }
            let records = try await bench.store.enqueue(tasks + tasks, under: second)
            try equal(records[0].state, .succeeded(.inline([7])))
            try equal(records[1].history.map(\.cause), ["bad", "bad"])
            try equal(records[1].attempt, 0)
            try equal(records.map(\.life), [1, 2, 2, 2, 1, 2, 2, 2])
            try equal(try await bench.store.job(.a)?.tasksFailed, 0)
            try equal(try await bench.store.job(.a)?.tasksTotal, 4)
            try equal(try await bench.store.deadTasks(of: .a, limit: 9), [])
            let grants = try await bench.claim().grants
            try equal(grants.map(\.task.spec.name), ["dead", "open", "new"])
            for grant in grants { _ = try await bench.finish(grant.lease, .failed(message: "y")) }
            try equal(try await bench.claim().grants.count, 3, "attempts are fresh")
            _ = try await bench.finish(second, .succeeded(.inline([])))
            try equal(try await bench.state("a"), .succeeded(result: nil))
        },
        ContractCase("A task that was delayed in an earlier life is granted once") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.delayInMilliseconds = 400
            let task = makeTask("t", job: "a", retry: policy)
            try await bench.add([task], driver)
            _ = try await bench.finish(try await bench.claimOne(), .failed(message: "x"))
            _ = try await bench.finish(driver, .failed(message: "x"))
            _ = try await bench.store.retry(job: .a)
            let second = try await bench.claimOne(drivers: 1)
            try await bench.add([task], second)
            _ = try await bench.claimOne()
            try await bench.pass(400)
            try equal(try await bench.claim("w-2").grants.count, 0)
        },
        ContractCase("Only a job that failed or was stopped, and whose tasks ended, is retried") {
            bench in
            try equal(try await bench.store.retry(job: .a), nil)
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a")], driver)
            let lease = try await bench.claimOne()
            _ = try await bench.store.stop(.a, by: "me")
            try await isRefused { _ = try await bench.store.retry(job: .a) }
            _ = try await bench.finish(driver, .cancelled(by: "me"))
            try equal(try await bench.state("a"), .stopped(by: "me"))
            try await isRefused { _ = try await bench.store.retry(job: .a) }
            _ = try await bench.finish(lease, .cancelled(by: "me"))
            try equal(try await bench.store.retry(job: .a)?.state, .active(.queued))
            let second = try await bench.claimOne(drivers: 1)
            _ = try await bench.finish(second, .succeeded(.inline([])))
            try await isRefused { _ = try await bench.store.retry(job: .a) }
        },
        ContractCase(
            "Retries keep to the bounds of jobs and shapes",
            {
                $0.activeJobsMax = 2
                $0.shapesMax = 1
            }
        ) { bench in
            for id in ["a", "b"] {
                _ = try await bench.finish(try await bench.drive(id), .failed(message: "x"))
            }
            var job = newJob("c")
            job.driverLabels = ["odd"]
            _ = try await bench.store.submit(job)
            try await isFull { _ = try await bench.store.retry(job: .a) }
            _ = try await bench.claimOne(drivers: 1, labels: ["odd"])
            _ = try await bench.store.retry(job: .a)
            try await isFull {
                _ = try await bench.store.retry(job: JobID(rawValue: "b") ?? .fallback)
            }
        },
        ContractCase("A dead task is retried alone while its job is active") { bench in
            let driver = try await bench.drive("a")
            let tasks = ["t", "u"].map { makeTask($0, job: "a") }
            try await bench.add(tasks, driver)
            _ = try await bench.finish(try await bench.claimOne(), .failed(message: "bad"))
            let other = try await bench.claimOne()
            let again = try await bench.store.retry(task: tasks[0].id)
            try check(again?.state.isTerminal == false && again?.attempt == 0, "it waits")
            try equal(again?.history.count, 1)
            try equal(try await bench.store.retry(task: tasks[0].id), again, "a repetition")
            try equal(try await bench.store.retry(task: other.task)?.state, .running(other))
            try equal(try await bench.store.retry(task: TaskID(rawValue: "a/none")), nil)
            try equal(try await bench.store.job(.a)?.tasksFailed, 0)
            let lease = try await bench.claimOne()
            try equal(lease.task, tasks[0].id)
            _ = try await bench.finish(lease, .succeeded(.inline([1])))
            try equal(
                try await bench.store.retry(task: tasks[0].id)?.state, .succeeded(.inline([1])))
            let cancelled = try await bench.store.cancelTask(other.task, by: "me")
            try equal(cancelled?.cancelRequestedBy, "me")
            _ = try await bench.finish(other, .failed(message: "y"))
            _ = try await bench.store.retry(task: other.task)
            try equal(try await bench.claimOne().task, other.task)
        },
        ContractCase("A dead task of a job that failed brings the job back") { bench in
            let driver = try await bench.drive("a")
            let tasks = ["t", "u"].map { makeTask($0, job: "a") }
            try await bench.add(tasks, driver)
            for _ in 0..<2 {
                _ = try await bench.finish(try await bench.claimOne(), .failed(message: "bad"))
            }
            _ = try await bench.finish(driver, .failed(message: "x"))
            let again = try await bench.store.retry(task: tasks[0].id)
            try equal(again?.life, 2)
            try equal(try await bench.store.job(.a)?.state, .active(.queued))
            try equal(try await bench.store.deadTasks(of: .a, limit: 9).map(\.spec.name), ["u"])
            let names = try await bench.claim(drivers: 1).grants.map(\.task.spec.name)
            try equal(Set(names), ["driver", "t"])
        },
        ContractCase("A job waits for others, and begins when all succeeded") { bench in
            let a = try await bench.drive("a")
            let b = try await bench.drive("b")
            var job = newJob("c")
            job.after = ["a", "b", "a"].compactMap(JobID.init)
            job.deadlines = Deadlines(scheduleToStart: 300)
            let waiting = try await bench.store.submit(job)
            try equal(waiting.waitsFor.map(\.rawValue), ["a", "b"])
            try equal(try await bench.store.submit(job), waiting)
            _ = try await bench.finish(a, .succeeded(.inline([])))
            let id = job.id
            try equal(try await bench.store.job(id)?.waitsFor.map(\.rawValue), ["b"])
            try await bench.pass(400)
            try equal(try await bench.claim(drivers: 9).grants.count, 0)
            try equal(try await bench.store.tasks([.driver(of: id)])[0]?.isHeld, true)
            _ = try await bench.finish(b, .succeeded(.inline([])))
            try equal(try await bench.store.job(id)?.waitsFor, [])
            try await bench.pass(299)
            let grant = try await bench.claim(drivers: 9).grants.first
            try equal(grant?.job, job)
            job.id = JobID(rawValue: "d") ?? .fallback
            try equal(try await bench.store.submit(job).waitsFor, [], "both are done")
            try equal(try await bench.claim(drivers: 9).grants.count, 1)
        },
        ContractCase("When a job fails or is stopped, those after it are stopped and say why") {
            bench in
            let a = try await bench.drive("a")
            for (id, before) in [("b", "a"), ("c", "b"), ("d", "a")] {
                var job = newJob(id)
                job.after = [JobID(rawValue: before) ?? .fallback]
                _ = try await bench.store.submit(job)
            }
            _ = try await bench.store.stop(JobID(rawValue: "d") ?? .fallback, by: "me")
            _ = try await bench.finish(a, .failed(message: "x"))
            try equal(try await bench.state("b"), .stopped(by: "job a, which failed"))
            try equal(try await bench.state("c"), .stopped(by: "job b, which was stopped"))
            try equal(try await bench.state("d"), .stopped(by: "me"))
            var late = newJob("e")
            late.after = [.a]
            let answer = try await bench.store.submit(late)
            try equal(answer.state, .stopped(by: "job a, which failed"))
            try check(answer.endedAt != nil, "it is over")
            try equal(try await bench.claim(drivers: 9).grants.count, 0)
            let again = try await bench.store.retry(job: JobID(rawValue: "b") ?? .fallback)
            try equal(again?.waitsFor, [])
            try equal(try await bench.claim(drivers: 9).grants.map(\.job.id.rawValue), ["b"])
        },
        ContractCase(
            "Jobs to come after must be known, few, and in short chains", { $0.chainMax = 2 }
        ) { bench in
            var job = newJob("b")
            job.after = ["a", "none"].compactMap(JobID.init)
            let unknown = job
            _ = try await bench.submit("a")
            try await isRefused { _ = try await bench.store.submit(unknown) }
            try equal(try await bench.state("b"), nil)
            job.after = Array(repeating: .a, count: 33)
            let many = job
            try await isFull { _ = try await bench.store.submit(many) }
            for (id, before) in [("b", "a"), ("c", "b")] {
                var next = newJob(id)
                next.after = [JobID(rawValue: before) ?? .fallback]
                _ = try await bench.store.submit(next)
            }
            var last = newJob("d")
            last.after = [JobID(rawValue: "c") ?? .fallback]
            let fourth = last
            try await isFull { _ = try await bench.store.submit(fourth) }
        },
    ]
}

func isRefused(
    line: Int = #line, file: String = #fileID, _ body: () async throws -> Void
) async throws {
    do { try await body() } catch JobStoreError.refused { return }
    try check(false, "expected .refused", line: line, file: file)
}
