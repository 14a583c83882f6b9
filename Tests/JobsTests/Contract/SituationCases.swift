@testable import Jobs

/// What stores tell people of one job and of the whole cluster.
extension ContractCase {
    static let situations: [ContractCase] = [
        ContractCase("An unknown job has no situation") { bench in
            try equal(try await bench.store.situation(of: .a), nil)
        },
        ContractCase("A queued job's situation tells of its driver, the workers and who is ahead") {
            bench in
            for (id, priority) in [("b", 0), ("c", 5), ("a", 0), ("late", 0)] {
                _ = try await bench.submit(id, priority: priority)
            }
            var elsewhere = newJob("x")
            elsewhere.pool = "other"
            _ = try await bench.store.submit(elsewhere)
            _ = try await bench.heartbeat("w-2")
            _ = try await bench.heartbeat("w-1")
            let found = try await bench.store.situation(of: .a)
            let situation = try await required(found)
            try equal(situation.job, try await bench.store.job(.a))
            try equal(situation.driver, try await bench.store.tasks([.driver(of: .a)])[0])
            try equal(situation.jobsAhead, 2)
            try equal(situation.workers.map(\.name), ["w-1", "w-2"])
            try equal(situation.waiting.map(\.count), [1])
            try equal(situation.waiting.first?.first, situation.driver)
            try equal(situation.runningCount, 0)
            try equal(situation.now, situation.job.submittedAt)
            let first = JobID(rawValue: "c") ?? .fallback
            try equal(try await bench.store.situation(of: first)?.jobsAhead, 0)
        },
        ContractCase("A running job's situation tells what waits by need, and what is delayed") {
            bench in
            let driver = try await bench.drive("a")
            var patient = RetryPolicy.immediate
            patient.delayInMilliseconds = 10_000
            let retried = makeTask("retried", job: "a", retry: patient)
            try await bench.add([retried], driver)
            _ = try await bench.finish(
                try await bench.claimOne(), .crashed(message: "x", exitCode: 3, signal: nil))
            let large = Resources(milliCPUs: 4_000)
            let tasks =
                (0..<2).map { makeTask("large-\($0)", job: "a", resources: large) }
                + (0..<3).map { makeTask("small-\($0)", job: "a") }
            try await bench.add(tasks, driver)
            let situation = try await required(try await bench.store.situation(of: .a))
            try equal(situation.waiting.map(\.count), [3, 2])
            try equal(situation.waiting.map(\.first.spec.name), ["small-0", "large-0"])
            try equal(situation.delayed.map(\.spec.name), ["retried"])
            try equal(situation.delayed.first?.history.map(\.cause), ["exit code 3"])
            try equal(situation.runningCount, 1)
            try equal(situation.driver?.attempt, 1)
            try equal(situation.jobsAhead, 0)
        },
        ContractCase("A situation tells of dead tasks, and of the jobs that are waited for") {
            bench in
            let driver = try await bench.drive("a")
            let tasks = (0..<6).map { makeTask("t\($0)", job: "a") }
            try await bench.add(tasks, driver)
            for _ in tasks {
                _ = try await bench.finish(try await bench.claimOne(), .failed(message: "bad"))
            }
            var follower = newJob("b")
            follower.after = [.a]
            _ = try await bench.store.submit(follower)
            let dead = try await required(try await bench.store.situation(of: .a))
            try equal(dead.deadCount, 6)
            try equal(dead.dead.map(\.spec.name), ["t0", "t1", "t2", "t3"])
            let held = try await required(try await bench.store.situation(of: follower.id))
            try equal(held.before, [dead.job])
            try equal(held.waiting, [])
            try equal(held.jobsAhead, 0)
            try equal(held.driver?.isHeld, true)
        },
        ContractCase("The load counts jobs by state, attempts, and what waits by pool") { bench in
            try equal(try await bench.store.load(), ClusterLoad())
            let driver = try await bench.drive("a")
            let lost = try await bench.drive("over")
            _ = try await bench.finish(lost, .failed(message: "x"))
            try await bench.add((0..<5).map { makeTask("t\($0)", job: "a") }, driver)
            _ = try await bench.claimOne()
            _ = try await bench.submit("b")
            var pooled = newJob("c")
            pooled.pool = "gpu"
            _ = try await bench.store.submit(pooled)
            let leaving = try await bench.drive("leaving")
            _ = try await bench.store.stop(JobID(rawValue: "leaving") ?? .fallback, by: "me")
            var load = ClusterLoad()
            load.pendingJobs = 2
            load.runningJobs = 1
            load.stoppingJobs = 1
            load.endedJobs = 1
            load.leases = 3
            load.pools = [
                .init(name: "default", waitingDrivers: 1, waitingTasks: 4),
                .init(name: "gpu", waitingDrivers: 1, waitingTasks: 0),
            ]
            try equal(try await bench.store.load(), load)
            _ = leaving
        },
    ]
}

private func required<Value>(_ value: Value?) async throws -> Value {
    guard let value else { throw ContractFailure(description: "there is none") }
    return value
}
