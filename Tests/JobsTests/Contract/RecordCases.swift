@testable import Jobs

/// Submitting and its bounds.
extension ContractCase {
    static let submitting: [ContractCase] = [
        ContractCase("The same submission answers the same job, another one is a conflict") {
            bench in
            let first = try await bench.submit("a")
            try equal(first.state, .active(.queued))
            _ = try await bench.claim(drivers: 1)
            let again = try await bench.submit("a")
            try equal(again.submittedAt, first.submittedAt)
            try equal(again.state, .active(.running(worker: "w-1")))
            try await refuses(.conflictingSubmission(.a)) {
                _ = try await bench.submit("a", .command("false"))
            }
            try equal(try await bench.store.tasks(of: .a, limit: 9).count, 1, "one driver")
            try equal(try await bench.store.jobs(limit: 9).count, 1)
        },
        ContractCase("What was submitted comes back as it was") { bench in
            var job = newJob("a", .script(fileName: "ü.swift", digest: "d", arguments: ["-x", ""]))
            job.workingDirectory = "w"
            job.environment = ["A": "1", "B": "é\n"]
            job.metadata = ["m": "\""]
            job.driverResources = Resources(milliCPUs: 1, memoryInBytes: 2, gpus: 3)
            job.driverLabels = ["x", "y"]
            job.priority = 4
            _ = try await bench.store.submit(job)
            try equal(try await bench.store.job(.a)?.spec, job)
            let driver = try await bench.store.tasks([.driver(of: .a)])[0]?.spec
            try equal(driver, job.driver)
        },
        ContractCase("Jobs are listed newest first, tasks in order of creation") { bench in
            for id in ["a", "b", "c"] { _ = try await bench.submit(id) }
            let jobs = try await bench.store.jobs(limit: 2)
            try equal(jobs.map(\.spec.id.rawValue), ["c", "b"])
            try equal(try await bench.store.jobs(limit: 0).count, 0)
            let driver = try await bench.drive("d")
            try await bench.add((0..<200).map { makeTask("t\($0)", job: "d") }, driver)
            let id = JobID(rawValue: "d") ?? .fallback
            let names = try await bench.store.tasks(of: id, limit: 151).map(\.spec.name)
            try equal(names, ["driver"] + (0..<150).map { "t\($0)" })
            try equal(try await bench.store.tasks(of: .fallback, limit: 9).count, 0)
        },
        ContractCase("The number of active jobs is bounded", { $0.activeJobsMax = 2 }) { bench in
            let driver = try await bench.drive("a")
            _ = try await bench.submit("b")
            try await isFull { _ = try await bench.submit("c") }
            _ = try await bench.submit("a")
            _ = try await bench.finish(driver, .succeeded(.inline([])))
            _ = try await bench.submit("c")
        },
        ContractCase("The number of a job's tasks is bounded", { $0.tasksPerJobMax = 2 }) { bench in
            let driver = try await bench.drive("a")
            let tasks = (0..<3).map { makeTask("t\($0)", job: "a") }
            try await isFull { try await bench.add(tasks, driver) }
            try await bench.add(Array(tasks[..<2]) + Array(tasks[..<2]), driver)
            try await isFull { try await bench.add([tasks[2]], driver) }
            try equal(try await bench.store.job(.a)?.tasksTotal, 2)
        },
        ContractCase("The number of waiting shapes is bounded", { $0.shapesMax = 2 }) { bench in
            let driver = try await bench.drive("a")
            let tasks = (1...3).map {
                makeTask("t\($0)", job: "a", resources: Resources(milliCPUs: $0))
            }
            try await isFull { try await bench.add(tasks, driver) }
            try await bench.add(Array(tasks[..<2]), driver)
            try await bench.add(
                [makeTask("u", job: "a", resources: Resources(milliCPUs: 1))], driver)
            try await isFull { try await bench.add([tasks[2]], driver) }
            try await isFull { _ = try await bench.submit("b") }
            _ = try await bench.claim()
            _ = try await bench.submit("b")
            _ = try await bench.store.stop(JobID(rawValue: "b") ?? .fallback, by: "me")
            try await bench.add(
                Array(tasks[2...]) + [makeTask("v", job: "a", labels: ["l"])], driver)
        },
        ContractCase("Too large names, inputs, results and jobs are refused") { bench in
            let driver = try await bench.drive("a")
            let long = String(repeating: "x", count: 1_000)
            let big = [UInt8](repeating: 0, count: Payload.inlineMax + 1)
            let negative = Resources(milliCPUs: -1)
            for task in [
                makeTask(long, job: "a"), makeTask("t", job: "a", input: big),
                makeTask("t", job: "b"), makeTask("t", job: "a", labels: [long]),
                makeTask("t", job: "a", resources: negative),
            ] {
                try await isFull { try await bench.add([task], driver) }
            }
            var job = newJob("b")
            job.environment["X"] = String(repeating: "x", count: 2 << 20)
            let tooLarge = job
            try await isFull { _ = try await bench.store.submit(tooLarge) }
        },
        ContractCase("Tasks that exist are answered as they are") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne()
            _ = try await bench.finish(lease, .succeeded(.inline([5])))
            let other = makeTask("u", job: "a")
            let records = try await bench.store.enqueue([task, other, task, other], under: driver)
            try equal(records.map(\.spec), [task, other, task, other])
            try equal(records[0].state, .succeeded(.inline([5])))
            try equal(records[0], records[2])
            try check(!records[1].state.isTerminal, "the other one waits")
            try equal(try await bench.store.job(.a)?.tasksTotal, 2)
            try equal(try await bench.claim().grants.count, 1)
            try equal(try await bench.store.enqueue([], under: driver), [])
        },
        ContractCase("Only the current driver enqueues") { bench in
            _ = try await bench.submit("a")
            let old = try await bench.claimOne("w-1", drivers: 1, lease: 10)
            try await bench.pass(20)
            let new = try await bench.claimOne("w-2", drivers: 1)
            let task = makeTask("t", job: "a")
            try await refuses(.leaseLost(old.task)) { try await bench.add([task], old) }
            for forged in [
                Lease(task: new.task, worker: old.worker, token: new.token, expiry: 0),
                Lease(task: new.task, worker: new.worker, token: new.token + 1, expiry: 0),
                Lease(task: task.id, worker: new.worker, token: new.token, expiry: 0),
            ] {
                try await refuses(.leaseLost(forged.task)) { try await bench.add([task], forged) }
            }
            let nowhere = Lease(
                task: .driver(of: .fallback), worker: new.worker, token: 1, expiry: 0)
            try await refuses(.leaseLost(nowhere.task)) {
                try await bench.add([makeTask("t", job: "job-1")], nowhere)
            }
            try equal(try await bench.state(task), nil)
            try await bench.add([task], new)
            _ = try await bench.finish(new, .succeeded(.inline([])))
            try await refuses(.jobOver(.a)) { try await bench.add([task], new) }
        },
        ContractCase("A job that is over can be deleted, another one not") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            let lease = try await bench.claimOne(lease: 5)
            try equal(try await bench.store.delete(.a), false)
            try equal(try await bench.state("a"), .active(.running(worker: "driver-host")))
            _ = try await bench.finish(driver, .succeeded(.inline([])))
            try equal(try await bench.store.delete(.a), true)
            try equal(try await bench.store.delete(.a), false)
            try equal(try await bench.store.job(.a), nil)
            try equal(try await bench.state(task), nil)
            try equal(try await bench.store.jobs(limit: 9).count, 0)
            try equal(try await bench.finish(lease, .succeeded(.inline([]))), .leaseLost)
            try equal(try await bench.heartbeat("w-1", [lease]).lost, [lease])
            try await bench.pass(10)
            try equal(try await bench.claim().grants.count, 0)
            _ = try await bench.submit("a", .command("another"))
        },
        ContractCase("A job that is over is forgotten in time", { $0.retention = .seconds(60) }) {
            bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a")], driver)
            _ = try await bench.finish(driver, .succeeded(.inline([])))
            try check(try await bench.store.job(.a) != nil, "kept at first")
            _ = try await bench.drive("b")
            try await bench.pass(60_000)
            _ = try await bench.submit("c")
            try equal(try await bench.store.job(.a), nil)
            try equal(try await bench.store.tasks(of: .a, limit: 9).count, 0)
            try equal(try await bench.store.jobs(limit: 9).map(\.spec.id.rawValue), ["c", "b"])
        },
        ContractCase("Of jobs that are over only the newest are kept", { $0.endedJobsMax = 2 }) {
            bench in
            for id in ["a", "b", "c", "d"] {
                _ = try await bench.finish(try await bench.drive(id), .succeeded(.inline([])))
                try await bench.pass(2)
            }
            _ = try await bench.submit("e")
            try equal(
                try await bench.store.jobs(limit: 9).map(\.spec.id.rawValue), ["e", "d", "c"])
        },
    ]

    /// Workers, builds, logs and signals.
    static let records: [ContractCase] = [
        ContractCase(
            "Workers are listed until they fall silent or leave",
            {
                $0.workerLifetime = .milliseconds(60)
            }
        ) { bench in
            _ = try await bench.heartbeat("w-2")
            _ = try await bench.heartbeat("w-1")
            _ = try await bench.heartbeat("w-3")
            let listed = try await bench.store.workers()
            try equal(listed, ["w-1", "w-2", "w-3"].map(workerRecord))
            try await bench.store.remove(WorkerID(rawValue: "w-3"))
            try equal(try await bench.store.workers().map(\.name), ["w-1", "w-2"])
            try await bench.pass(70)
            try equal(try await bench.store.workers().count, 0)
            _ = try await bench.heartbeat("w-1")
            try equal(try await bench.store.workers().map(\.name), ["w-1"])
        },
        ContractCase("One worker compiles; the others hear of it and of the end") { bench in
            let (one, two) = (WorkerID(rawValue: "w-1"), WorkerID(rawValue: "w-2"))
            guard case .granted(let token, _) = try await bench.store.beginBuild("k", by: one)
            else {
                throw ContractFailure(description: "the first one is granted")
            }
            try equal(try await bench.store.beginBuild("k", by: two), .building(by: one))
            guard case .granted(token, _) = try await bench.store.beginBuild("k", by: one) else {
                throw ContractFailure(description: "the builder keeps its token")
            }
            try await refuses(.leaseLost(TaskID(rawValue: "build/k"))) {
                try await bench.store.endBuild("k", token: token + 1, outcome: .abandoned)
            }
            let outcome = BuildOutcome.succeeded(binary: "b", description: [1, 2])
            try await bench.store.endBuild("k", token: token, outcome: outcome)
            let late = BuildOutcome.failed(diagnostics: "late")
            try await bench.store.endBuild("k", token: token, outcome: late)
            try equal(try await bench.store.beginBuild("k", by: two), .ended(outcome))
            guard case .granted = try await bench.store.beginBuild("other", by: two) else {
                throw ContractFailure(description: "keys are independent")
            }
            try await bench.store.forgetBuild("other")
            try equal(try await bench.store.beginBuild("other", by: one), .building(by: two))
            try await bench.store.forgetBuild("k")
            guard case .granted = try await bench.store.beginBuild("k", by: two) else {
                throw ContractFailure(description: "a forgotten build is free")
            }
        },
        ContractCase(
            "A silent builder is replaced, an abandoned build is free, a failure stays",
            {
                $0.buildLeaseInMilliseconds = 20
            }
        ) { bench in
            let (one, two) = (WorkerID(rawValue: "w-1"), WorkerID(rawValue: "w-2"))
            let first = try await bench.store.beginBuild("k", by: one)
            try await bench.pass(30)
            let second = try await bench.store.beginBuild("k", by: two)
            guard case .granted(let old, _) = first, case .granted(let new, _) = second else {
                throw ContractFailure(description: "both are granted in turn")
            }
            try check(new > old, "the second token is larger")
            try await refuses(.leaseLost(TaskID(rawValue: "build/k"))) {
                try await bench.store.endBuild("k", token: old, outcome: .abandoned)
            }
            try await bench.store.endBuild("k", token: new, outcome: .abandoned)
            guard case .granted(let third, _) = try await bench.store.beginBuild("k", by: one)
            else {
                throw ContractFailure(description: "an abandoned build is free")
            }
            let long = String(repeating: "é", count: BuildRecord.diagnosticsMax)
            try await bench.store.endBuild("k", token: third, outcome: .failed(diagnostics: long))
            let kept = try await bench.store.beginBuild("k", by: two)
            guard case .ended(.failed(let diagnostics)) = kept else {
                throw ContractFailure(description: "a failure is kept")
            }
            try equal(diagnostics.utf8.count, BuildRecord.diagnosticsMax)
        },
        ContractCase("Log lines come back in order, page by page") { bench in
            _ = try await bench.submit("a")
            let lines = (0..<600).map { number in
                LogLine(
                    stream: number.isMultiple(of: 2) ? .out : .err, prefix: "(p) ",
                    text: "\u{1B}[1m\(number)\"\\", endsWithLineFeed: number != 5,
                    time: Int64(number))
            }
            try await bench.store.appendLogs(Array(lines[..<300]), to: .a)
            try await bench.store.appendLogs(Array(lines[300...]), to: .a)
            try await bench.store.appendLogs([], to: .a)
            var read: [LogLine] = []
            var cursor: LogCursor?
            while true {
                let page = try await bench.store.logs(of: .a, after: cursor, limit: 100)
                try equal(page.droppedCount, 0)
                if page.lines.isEmpty {
                    try equal(page.next, cursor, "nothing new")
                    break
                }
                read += page.lines
                cursor = page.next
            }
            try equal(read, lines)
            for limit in [0, 500, 1_000] {
                let page = try await bench.store.logs(of: .a, after: nil, limit: limit)
                try equal(page.lines, Array(lines.prefix(limit)), "who gets fewer is at the end")
            }
            try await bench.store.appendLogs(lines, to: .fallback)
            try equal(try await bench.store.logs(of: .fallback, after: nil, limit: 9).lines, [])
        },
        ContractCase(
            "The oldest log lines go, and readers hear how many",
            {
                $0.logLinesMax = 100
                $0.logMaxInBytes = 20_000
            }
        ) { bench in
            _ = try await bench.submit("a")
            func line(_ text: String) -> LogLine {
                LogLine(stream: .out, prefix: "", text: text, time: 0)
            }
            try await bench.store.appendLogs((1...250).map { line("\($0)") }, to: .a)
            let first = try await bench.store.logs(of: .a, after: nil, limit: 10)
            try equal(first.droppedCount, 150)
            try equal(first.lines.first?.text, "151")
            let seen = LogCursor(rawValue: "120")
            try equal(try await bench.store.logs(of: .a, after: seen, limit: 1).droppedCount, 30)
            let big = String(repeating: "x", count: 6_000)
            try await bench.store.appendLogs(
                [line(big), line(big), line(big), line("end")], to: .a)
            let kept = try await bench.store.logs(of: .a, after: nil, limit: 256)
            try check(kept.lines.map(\.sizeInBytes).reduce(0, +) <= 20_000, "within the bytes")
            try check(kept.lines.count > 20, "but not fewer lines than must go")
            try equal(kept.lines.last?.text, "end")
            try equal(kept.droppedCount + kept.lines.count, 254)
        },
        ContractCase("A line that is too long is cut and says so") { bench in
            _ = try await bench.submit("a")
            let long = String(repeating: "é", count: LogLine.textMax)
            try await bench.store.appendLogs(
                [LogLine(stream: .out, prefix: "", text: long, time: 0)], to: .a)
            let line = try await bench.store.logs(of: .a, after: nil, limit: 1).lines[0]
            try equal(line.text.utf8.count, LogLine.textMax)
            try check(!line.endsWithLineFeed, "the cut is marked")
        },
        ContractCase("Those who wait hear of work, tasks, jobs, logs and builds") { bench in
            let heard = SignalEar(bench.store.signals())
            try await heard.hears(nil) { _ = try await bench.heartbeat("w-1") }
            try await heard.hears(.work) { _ = try await bench.submit("a") }
            let driver = try await bench.claimOne(drivers: 1)
            try await heard.hears(.work) { try await bench.add([makeTask("t", job: "a")], driver) }
            let lease = try await bench.claimOne()
            try await heard.hears(.tasks(.a)) {
                _ = try await bench.finish(lease, .succeeded(.inline([])))
            }
            let line = LogLine(stream: .out, prefix: "", text: "x", time: 0)
            try await heard.hears(.logs(.a)) { try await bench.store.appendLogs([line], to: .a) }
            try await heard.hears(.job(.a)) {
                _ = try await bench.finish(driver, .succeeded(.inline([])))
            }
            let build = try await bench.store.beginBuild("k", by: WorkerID(rawValue: "w"))
            guard case .granted(let token, _) = build else { return }
            try await heard.hears(.builds) {
                try await bench.store.endBuild("k", token: token, outcome: .abandoned)
            }
            heard.close()
        },
    ]
}
