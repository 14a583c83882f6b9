@testable import Jobs

/// Who gets what, and who may end it.
extension ContractCase {
    static let claims: [ContractCase] = [
        ContractCase("Two workers never claim the same task") { bench in
            let driver = try await bench.drive("a")
            try await bench.add((0..<40).map { makeTask("t\($0)", job: "a") }, driver)
            let grants = try await withThrowingTaskGroup(of: [Grant].self) { group in
                for worker in 0..<8 {
                    group.addTask { try await bench.claim("w-\(worker)", max: 7).grants }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try equal(grants.count, 40, "all are granted")
            try equal(Set(grants.map(\.task.spec.id)).count, 40, "each once")
            try equal(Set(grants.map(\.lease.token)).count, 40, "each with a token of its own")
        },
        ContractCase("A grant tells everything of the task and its job") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a", input: [0, 255, 13, 10], priority: 3)
            try await bench.add([task], driver)
            let grant = try await bench.claim("w-1", lease: 5_000).grants[0]
            try equal(grant.task.spec, task, "task")
            try equal(grant.job, newJob("a"), "job")
            try equal(grant.task.attempt, 1, "attempt")
            try equal(grant.task.state, .running(grant.lease), "state")
            try check(grant.lease.expiry > grant.task.createdAt, "the lease ends later")
            try check(grant.lease.token > driver.token, "tokens grow")
            try equal(try await bench.store.tasks([task.id])[0], grant.task, "what is read")
        },
        ContractCase("An overdue lease is expired by any claim, and its holder ends nothing") {
            bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a", retry: .immediate)
            try await bench.add([task], driver)
            let old = try await bench.claimOne("w-1", lease: 30)
            try equal(try await bench.claim("w-2").grants.count, 0, "nothing before it is overdue")
            try await bench.pass(30)
            let new = try await bench.claimOne("w-2")
            try equal(new.task, task.id, "the same task")
            try check(new.token > old.token, "the new token is larger")
            try equal(try await bench.finish(old, .succeeded(.inline([1]))), .leaseLost)
            try equal(try await bench.finish(new, .succeeded(.inline([2]))), .committed)
            try equal(try await bench.finish(old, .succeeded(.inline([1]))), .leaseLost)
            try equal(try await bench.state(task), .succeeded(.inline([2])))
            let record = try await bench.store.tasks([task.id])[0]
            try equal(record?.history.map(\.cause), ["w-1 stopped answering"])
            try equal(record?.attempt, 2)
        },
        ContractCase("An ending needs the token and the worker of the lease") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne()
            for (worker, token) in [("w-2", lease.token), ("w-1", lease.token + 1)] {
                let forged = Lease(
                    task: task.id, worker: WorkerID(rawValue: worker), token: token,
                    expiry: lease.expiry)
                try equal(try await bench.finish(forged, .succeeded(.inline([]))), .leaseLost)
            }
            let nowhere = Lease(
                task: TaskID(rawValue: "none/t/x/0"), worker: lease.worker, token: 1, expiry: 0)
            try equal(try await bench.finish(nowhere, .released), .leaseLost)
            try equal(try await bench.state(task), .running(lease))
        },
        ContractCase("A repeated ending is a duplicate and the first one stands") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne()
            try equal(try await bench.finish(lease, .succeeded(.inline([1]))), .committed)
            try equal(try await bench.finish(lease, .succeeded(.inline([2]))), .duplicate)
            try equal(try await bench.finish(lease, .failed(message: "x")), .duplicate)
            try equal(try await bench.state(task), .succeeded(.inline([1])))
            try equal(try await bench.store.job(.a)?.tasksSucceeded, 1)
        },
        ContractCase("A lease that is overdue but was not given away still counts") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne(lease: 10)
            try await bench.pass(20)
            let reply = try await bench.claim(
                endings: [AttemptEnding(lease: lease, outcome: .succeeded(.inline([1])))])
            try equal(reply.endings, [.committed])
            try equal(try await bench.state(task), .succeeded(.inline([1])))
        },
        ContractCase("A claim ends attempts first and grants in the same step") { bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a"), makeTask("u", job: "a")], driver)
            let lease = try await bench.claimOne()
            let reply = try await bench.claim(
                endings: [
                    AttemptEnding(lease: lease, outcome: .succeeded(.inline([]))),
                    AttemptEnding(lease: lease, outcome: .succeeded(.inline([]))),
                ])
            try equal(reply.endings, [.committed, .duplicate])
            try equal(reply.grants.map(\.task.spec.name), ["u"])
        },
        ContractCase("A heartbeat extends leases and tells of those that are lost") { bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a")], driver)
            let lease = try await bench.claimOne("w-1", lease: 250)
            for _ in 0..<3 {
                try await bench.pass(100)
                try equal(
                    try await bench.heartbeat("w-1", [lease]),
                    HeartbeatReply(lost: [], cancelled: []))
                try equal(try await bench.claim("w-2").grants.count, 0, "it is kept alive")
            }
            let forged = Lease(
                task: lease.task, worker: lease.worker, token: lease.token + 1, expiry: 0)
            let others = try await bench.heartbeat("w-2", [lease, forged])
            try equal(Set(others.lost), [lease, forged], "leases of another worker")
            try equal(try await bench.heartbeat("w-1", [forged]).lost, [forged])
            let renamed = Lease(
                task: lease.task, worker: WorkerID(rawValue: "w-2"), token: lease.token, expiry: 0)
            try equal(try await bench.heartbeat("w-2", [renamed]).lost, [renamed])
            try await bench.pass(260)
            try equal(try await bench.claim("w-2").grants.count, 0, "lost, and due in 100 ms")
            try equal(try await bench.heartbeat("w-1", [lease]).lost, [lease])
        },
    ]

    /// Grants follow priority, then the job with the fewest running tasks, then age.
    static let order: [ContractCase] = [
        ContractCase("Higher priorities are granted first, over all jobs and shapes") { bench in
            let a = try await bench.drive("a")
            let b = try await bench.drive("b")
            let small = Resources(milliCPUs: 500)
            try await bench.add(
                [
                    makeTask("low", job: "a", priority: -1), makeTask("mid", job: "a"),
                    makeTask("beyond", job: "a", priority: 5_000),
                ], a)
            try await bench.add(
                [makeTask("high", job: "b", resources: small, priority: 7)], b)
            let names = try await bench.claim().grants.map(\.task.spec.name)
            try equal(names, ["beyond", "high", "mid", "low"])
        },
        ContractCase("Among equals the job with the fewest running tasks goes first, then age") {
            bench in
            let a = try await bench.drive("a")
            try await bench.add((0..<4).map { makeTask("a\($0)", job: "a") }, a)
            let b = try await bench.drive("b")
            try await bench.add((0..<2).map { makeTask("b\($0)", job: "b") }, b)
            let grants = try await bench.claim().grants
            try equal(grants.map(\.task.spec.name), ["a0", "b0", "a1", "b1", "a2", "a3"])
            let done = grants.filter { $0.task.spec.job == .a }
            _ = try await bench.store.finish(
                done.map { AttemptEnding(lease: $0.lease, outcome: .succeeded(.inline([]))) })
            try await bench.add([makeTask("b9", job: "b")], b)
            try await bench.add([makeTask("a9", job: "a")], a)
            let next = try await bench.claim().grants.map(\.task.spec.name)
            try equal(next, ["a9", "b9"], "a runs less than b now")
        },
        ContractCase("A claim takes only what fits in what is left") { bench in
            let driver = try await bench.drive("a")
            try await bench.add(
                [
                    makeTask("cpus", job: "a", resources: Resources(milliCPUs: 3_000)),
                    makeTask("memory", job: "a", resources: Resources(memoryInBytes: 1 << 40)),
                    makeTask("gpus", job: "a", resources: Resources(gpus: 2)),
                    makeTask("one", job: "a"), makeTask("two", job: "a"),
                ], driver)
            let first = try await bench.claim(cpus: 2_500).grants.map(\.task.spec.name)
            try equal(first, ["one", "two"])
            let none = try await bench.claim(cpus: 2_999, memory: (1 << 40) - 1, gpus: 1)
            try equal(none.grants.count, 0)
            let rest = try await bench.claim(cpus: 3_000, memory: 1 << 40, gpus: 2)
            try equal(rest.grants.map(\.task.spec.name), ["cpus", "memory", "gpus"])
        },
        ContractCase("What one grant takes is not there for the next") { bench in
            let driver = try await bench.drive("a")
            let need = Resources(milliCPUs: 100, memoryInBytes: 10, gpus: 1)
            try await bench.add(
                (0..<6).map { makeTask("t\($0)", job: "a", resources: need) }, driver)
            try equal(try await bench.claim(cpus: 250, memory: 99, gpus: 9).grants.count, 2)
            try equal(try await bench.claim(cpus: 999, memory: 19, gpus: 9).grants.count, 1)
            try equal(try await bench.claim(cpus: 999, memory: 99, gpus: 2).grants.count, 2)
        },
        ContractCase("Labels must all be there; odd ones too") { bench in
            let driver = try await bench.drive("a")
            let odd = "a,b;c d%"
            try await bench.add([makeTask("t", job: "a", labels: ["gpu", odd])], driver)
            for labels in [[], ["gpu"], [odd], ["gpu", "a", "b;c d%"]] as [Set<String>] {
                try equal(try await bench.claim(labels: labels).grants.count, 0, "\(labels)")
            }
            let grant = try await bench.claim(labels: ["x", "gpu", odd]).grants.first
            try equal(grant?.task.spec.labels, ["gpu", odd])
        },
        ContractCase("Drivers take driver slots") { bench in
            for id in ["a", "b", "c"] { _ = try await bench.submit(id) }
            try equal(try await bench.claim(drivers: 0).grants.count, 0)
            try equal(try await bench.claim(drivers: 2).grants.map(\.job.id.rawValue), ["a", "b"])
            try equal(try await bench.claim(drivers: 2).grants.count, 1)
        },
        ContractCase("A claim grants at most as many as it asks for") { bench in
            let driver = try await bench.drive("a")
            try await bench.add((0..<5).map { makeTask("t\($0)", job: "a") }, driver)
            try equal(try await bench.claim(max: 0).grants.count, 0)
            try equal(try await bench.claim(max: 3).grants.count, 3)
            try equal(try await bench.claim(max: 9).grants.count, 2)
        },
    ]
}

extension JobID {
    static let a = JobID(rawValue: "a") ?? .fallback
}

extension RetryPolicy {
    /// Everything is tried again at once.
    static let immediate = RetryPolicy(
        attemptsMax: 4, retriesErrors: true, retriesCrashes: true, delayInMilliseconds: 0)
}
