@testable import Jobs

/// Tasks granted ahead of the slot they will run in.
extension ContractCase {
    static let ahead: [ContractCase] = [
        ContractCase("Tasks of an offered job and shape come ahead, as many as are asked for") {
            bench in
            let driver = try await bench.drive("a")
            try await bench.add((0..<8).map { makeTask("t\($0)", job: "a") }, driver)
            let reply = try await bench.claim(cpus: 2_000, ahead: [offer("a", 3)])
            try equal(reply.grants.map(\.task.spec.name), ["t0", "t1", "t2", "t3", "t4"])
            try equal(reply.grants.map(\.isAhead), [false, false, true, true, true])
            try equal(try await bench.claim(cpus: 0).grants.count, 0)
            let later = try await bench.claim(cpus: 0, max: 2, ahead: [offer("a", 9)])
            try equal(later.grants.map(\.task.spec.name), ["t5", "t6"])
            for grant in reply.grants + later.grants {
                try equal(
                    try await bench.finish(grant.lease, .succeeded(.inline([1]))), .committed)
            }
            try equal(try await bench.claim().grants.map(\.task.spec.name), ["t7"])
        },
        ContractCase("Nothing else comes ahead: other jobs, other shapes, later attempts") {
            bench in
            let b = try await bench.drive("b")
            try await bench.add([makeTask("b", job: "b")], b)
            try equal(try await bench.claim(cpus: 0, ahead: [offer("a", 9)]).grants.count, 0)
            _ = try await bench.finish(
                try await bench.claimOne(), .succeeded(.inline([])))
            let a = try await bench.drive("a")
            let small = makeTask("small", job: "a", resources: Resources(milliCPUs: 500))
            try await bench.add(
                [
                    makeTask("again", job: "a", retry: .immediate),
                    makeTask("bounded", job: "a", deadlines: Deadlines(startToClose: 9_000)),
                    makeTask("last", job: "a"), small,
                ], a)
            _ = try await bench.finish(try await bench.claimOne(), .failed(message: "once"))
            try equal(
                try await bench.claim(cpus: 600, ahead: [offer("a", 9)]).grants
                    .map(\.task.spec.name), ["small"], "one that was tried before waits for a slot")
            try equal(
                try await bench.claim(cpus: 1_000, ahead: [offer("a", 9)]).grants
                    .map(\.task.spec.name), ["again"], "and so does one with a deadline")
        },
        ContractCase("What comes ahead keeps to priority and fair share") { bench in
            let a = try await bench.drive("a")
            let b = try await bench.drive("b")
            try await bench.add((0..<4).map { makeTask("a\($0)", job: "a") }, a)
            try await bench.add((0..<4).map { makeTask("b\($0)", job: "b") }, b)
            try await bench.add([makeTask("b9", job: "b", priority: 5)], b)
            let grants = try await bench.claim(
                cpus: 1_000, max: 5, ahead: [offer("a", 9), offer("b", 9)]
            ).grants
            try equal(grants.map(\.task.spec.name), ["b9", "a0", "a1", "b0", "a2"])
            try equal(grants.map(\.isAhead), [false, true, true, true, true])
        },
        ContractCase("Tasks come ahead past those of jobs that are offered no place") { bench in
            let a = try await bench.drive("a")
            let b = try await bench.drive("b")
            try await bench.add([makeTask("a0", job: "a")], a)
            try await bench.add([makeTask("b0", job: "b")], b)
            let grants = try await bench.claim(cpus: 0, max: 1, ahead: [offer("b", 9)]).grants
            try equal(grants.map(\.task.spec.name), ["b0"])
        },
    ]

    private static func offer(_ job: String, _ count: Int) -> AheadOffer {
        let task = makeTask("any", job: job)
        return AheadOffer(job: task.job, shape: TaskShape(task).text, count: count)
    }

    /// Ends in their order.
    static let ended: [ContractCase] = [
        ContractCase("Ends are told in their order, page by page") { bench in
            let driver = try await bench.drive("a")
            let start = try await bench.store.ended(of: .a, from: nil, limit: 10)
            try equal(start, EndedTasks(tasks: [], next: 0))
            let tasks = (0..<4).map { makeTask("t\($0)", job: "a") }
            try await bench.add(tasks, driver)
            let leases = try await bench.claim().grants.map(\.lease)
            _ = try await bench.finish(leases[2], .succeeded(.inline([7])))
            _ = try await bench.finish(leases[0], .failed(message: "no"))
            try await bench.store.cancel([tasks[3].id], by: "the driver", under: driver)
            _ = try await bench.finish(leases[3], .cancelled(by: "the driver"))
            let first = try await bench.store.ended(of: .a, from: 0, limit: 2)
            try equal(first.tasks.first, .succeeded(tasks[2].id, .inline([7])))
            try equal(names(first), ["t2", "t0"])
            let rest = try await bench.store.ended(of: .a, from: first.next, limit: 10)
            try equal(names(rest), ["t3"])
            try equal(
                try await bench.store.ended(of: .a, from: rest.next, limit: 10),
                EndedTasks(tasks: [], next: 3))
            try equal(try await bench.store.ended(of: .a, from: nil, limit: 10).next, 3)
        },
        ContractCase("A position that the store does not have is its beginning") { bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a")], driver)
            _ = try await bench.finish(
                try await bench.claimOne(), .succeeded(.inline([])))
            let ends = try await bench.store.ended(of: .a, from: 17, limit: 10)
            try equal(names(ends), ["t"])
            try equal(ends.next, 1)
        },
        ContractCase("A task that fails in the call that ends its job waits nowhere") { bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a", retry: .immediate)], driver)
            let lease = try await bench.claimOne()
            let endings = [
                AttemptEnding(lease: lease, outcome: .failed(message: "once more")),
                AttemptEnding(lease: driver, outcome: .failed(message: "for good")),
            ]
            _ = try await bench.store.finish(endings)
            try equal(try await bench.claim().grants.count, 0)
        },
    ]

    private static func names(_ ends: EndedTasks) -> [String] {
        ends.tasks.map { end in
            switch end {
            case .succeeded(let id, _): id.taskName
            case .other(let task): task.spec.name
            }
        }
    }
}

extension TaskID {
    /// The name that `makeTask` gave the task.
    fileprivate var taskName: String {
        rawValue.split(separator: "/").dropFirst().first.map(String.init) ?? rawValue
    }
}
