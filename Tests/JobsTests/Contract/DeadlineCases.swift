@testable import Jobs

/// Deadlines, delays by chance, dead tasks and the cancel of one task.
extension ContractCase {
    static let deadlines: [ContractCase] = [
        ContractCase("An attempt that runs too long is ended and tried again; its worker hears") {
            bench in
            let driver = try await bench.drive("a")
            let limits = Deadlines(startToClose: 5_000)
            let task = makeTask("t", job: "a", retry: .immediate, deadlines: limits)
            try await bench.add([task], driver)
            let first = try await bench.claimOne("w-1")
            try await bench.pass(900)
            try equal(try await bench.heartbeat("w-1", [first]), .fine)
            try await bench.pass(900)
            for _ in 0..<3 {
                try await bench.pass(800)
                try equal(try await bench.heartbeat("w-1", [first]).lost, [])
            }
            try await bench.pass(800)
            let told = try await bench.heartbeat("w-1", [first])
            try equal(told, HeartbeatReply(lost: [first], cancelled: [], overdue: [first]))
            try equal(try await bench.finish(first, .succeeded(.inline([]))), .leaseLost)
            let second = try await bench.claimOne("w-2")
            try check(second.token > first.token, "a new attempt")
            try equal(try await bench.heartbeat("w-1", [first]).overdue, [first], "told again")
            let record = try await bench.store.tasks([task.id])[0]
            try equal(record?.history.map(\.cause), ["start-to-close 5 s exceeded on w-1"])
            try equal(record?.history.map(\.wasEndedByStore), [true])
            try equal(record?.spec.deadlines, limits)
            try equal(try await bench.store.job(.a)?.tasksRetried, 1)
        },
        ContractCase("Attempts that all run too long end the task with the deadline as cause") {
            bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.attemptsMax = 2
            let task = makeTask(
                "t", job: "a", retry: policy, deadlines: Deadlines(startToClose: 250))
            try await bench.add([task], driver)
            for worker in ["w-1", "w-2"] {
                _ = try await bench.claimOne(worker)
                try await bench.pass(250)
            }
            try equal(try await bench.claim().grants.count, 0)
            let cause = "start-to-close 250 ms exceeded on w-2"
            try equal(
                try await bench.state(task), .failed(TaskFailure(kind: .deadline, message: cause)))
        },
        ContractCase("A task that nobody takes in time fails, and its wait begins anew at a retry")
        {
            bench in
            let driver = try await bench.drive("a")
            let limits = Deadlines(scheduleToStart: 500)
            let tasks = ["t", "u"].map {
                makeTask($0, job: "a", retry: .immediate, deadlines: limits)
            }
            try await bench.add(tasks, driver)
            try await bench.pass(400)
            let lease = try await bench.claimOne()
            try await bench.pass(99)
            _ = try await bench.finish(lease, .failed(message: "x"))
            try await bench.pass(1)
            _ = try await bench.heartbeat("w-9")
            let failure = TaskFailure(kind: .deadline, message: "schedule-to-start 500 ms exceeded")
            try equal(try await bench.state(tasks[1]), .failed(failure))
            try await bench.pass(400)
            try equal(try await bench.claim().grants.map(\.task.spec.name), ["t"])
            let record = try await bench.store.tasks([tasks[1].id])[0]
            try equal(record?.history, [])
            try equal(record?.deadline, nil)
        },
        ContractCase("Schedule-to-close bounds all attempts together, and is final") { bench in
            let driver = try await bench.drive("a")
            let limits = Deadlines(startToClose: 700, scheduleToClose: 900)
            let task = makeTask("t", job: "a", retry: .immediate, deadlines: limits)
            try await bench.add([task], driver)
            _ = try await bench.claimOne("w-1")
            let standing = try await bench.store.tasks([task.id])[0]?.deadline
            try equal(standing?.kind, .startToClose)
            try await bench.pass(700)
            let second = try await bench.claimOne("w-2")
            try await bench.pass(200)
            try equal(try await bench.claim().grants.count, 0)
            let cause = "schedule-to-close 900 ms exceeded on w-2"
            try equal(
                try await bench.state(task), .failed(TaskFailure(kind: .deadline, message: cause)))
            try equal(try await bench.heartbeat("w-2", [second]).overdue, [second])
            try equal(try await bench.store.job(.a)?.tasksFailed, 1)
        },
        ContractCase("A heartbeat deadline takes the place of the lease's length") { bench in
            let driver = try await bench.drive("a")
            let limits = Deadlines(heartbeat: 400)
            let task = makeTask("t", job: "a", retry: .immediate, deadlines: limits)
            try await bench.add([task], driver)
            let lease = try await bench.claimOne("w-1", lease: 60_000)
            try await bench.pass(300)
            try equal(try await bench.heartbeat("w-1", [lease]), .fine)
            try await bench.pass(300)
            try equal(try await bench.claim("w-2").grants.count, 0)
            try await bench.pass(100)
            try equal(try await bench.claim("w-2").grants.count, 1)
            let causes = try await bench.store.tasks([task.id])[0]?.history.map(\.cause)
            try equal(causes, ["heartbeat 400 ms exceeded on w-1"])
        },
        ContractCase("A job's timeout ends it, queued or running, and all it has") { bench in
            var job = newJob("a")
            job.deadlines = Deadlines(scheduleToClose: 900)
            _ = try await bench.store.submit(job)
            let driver = try await bench.claimOne("w-1", drivers: 1)
            let task = makeTask("t", job: "a")
            try await bench.add([task], driver)
            var queued = newJob("b")
            queued.deadlines = Deadlines(scheduleToStart: 900)
            _ = try await bench.store.submit(queued)
            try await bench.pass(900)
            try equal(try await bench.claim().grants.count, 0)
            let cause = "job timeout 900 ms exceeded on w-1"
            try equal(
                try await bench.state("a"), .failed(TaskFailure(kind: .deadline, message: cause)))
            try equal(try await bench.state(task), .cancelled(by: JobRecord.endOfJob))
            try equal(try await bench.heartbeat("w-1", [driver]).overdue, [driver])
            let late = "schedule-to-start 900 ms exceeded"
            try equal(
                try await bench.state("b"), .failed(TaskFailure(kind: .deadline, message: late)))
        },
        ContractCase(
            "A deadline strikes nothing that is over, and a cancelled attempt is cancelled"
        ) { bench in
            let driver = try await bench.drive("a")
            let limits = Deadlines(
                scheduleToStart: 800, startToClose: 400, scheduleToClose: 900, heartbeat: 9_000)
            let tasks = ["t", "u", "v"].map {
                makeTask($0, job: "a", retry: .immediate, deadlines: limits)
            }
            try await bench.add(tasks, driver)
            let done = try await bench.claimOne()
            _ = try await bench.finish(done, .succeeded(.inline([1])))
            _ = try await bench.claimOne()
            try await bench.store.cancel([tasks[1].id], by: "me", under: driver)
            try await bench.pass(400)
            _ = try await bench.heartbeat("w-9")
            try equal(try await bench.state(tasks[1]), .cancelled(by: "me"))
            _ = try await bench.store.stop(.a, by: "you")
            try await bench.pass(900)
            try equal(try await bench.claim().grants.count, 0)
            try equal(try await bench.state(tasks[0]), .succeeded(.inline([1])))
            try equal(try await bench.state(tasks[2]), .cancelled(by: "you"))
        },
        ContractCase("One call sweeps a bounded number of deadlines", { $0.sweepMax = 2 }) {
            bench in
            let driver = try await bench.drive("a")
            let limits = Deadlines(scheduleToStart: 100)
            try await bench.add(
                (0..<5).map { makeTask("t\($0)", job: "a", deadlines: limits) }, driver)
            try await bench.pass(100)
            for failed in [2, 4, 5] {
                _ = try await bench.heartbeat("w-1")
                try equal(try await bench.store.job(.a)?.tasksFailed, failed)
            }
        },
        ContractCase("Deadlines outside their range are refused") { bench in
            let driver = try await bench.drive("a")
            for limit in [0, -1, Deadlines.max + 1, .max] {
                let task = makeTask("t", job: "a", deadlines: Deadlines(startToClose: limit))
                try await isFull { try await bench.add([task], driver) }
                var job = newJob("b")
                job.deadlines = Deadlines(scheduleToClose: limit)
                let wrong = job
                try await isFull { _ = try await bench.store.submit(wrong) }
            }
        },
        ContractCase("A heartbeat expires the leases of workers that fell silent") { bench in
            let driver = try await bench.drive("a")
            let task = makeTask("t", job: "a", retry: .immediate)
            try await bench.add([task], driver)
            _ = try await bench.claimOne("w-1", lease: 50)
            try await bench.pass(50)
            _ = try await bench.heartbeat("w-2")
            let record = try await bench.store.tasks([task.id])[0]
            try equal(record?.history.map(\.cause), ["w-1 stopped answering"])
        },
        ContractCase("Delays grow, and differ by task and attempt in the same way everywhere") {
            bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.delayInMilliseconds = 200
            let tasks = (0..<4).map { makeTask("t\($0)", job: "a", retry: policy) }
            try await bench.add(tasks, driver)
            let delays = tasks.map { policy.delay(afterAttempt: 1, of: $0.id) }
            try check(Set(delays).count > 1, "by chance: \(delays)")
            for (task, delay) in zip(tasks, delays) {
                _ = try await bench.finish(try await bench.claimOne(), .failed(message: "x"))
                guard case .waiting(let due) = try await bench.state(task),
                    let ended = try await bench.store.tasks([task.id])[0]?.history.last?.endedAt
                else { throw ContractFailure(description: "it waits") }
                try equal(due - ended, delay)
                try check((100...200).contains(delay), "\(delay)")
            }
        },
        ContractCase("Dead tasks are listed with every attempt's cause and last lines") { bench in
            let driver = try await bench.drive("a")
            var policy = RetryPolicy.immediate
            policy.attemptsMax = 2
            let tasks = ["t", "u", "v"].map { makeTask($0, job: "a", retry: policy) }
            try await bench.add(tasks, driver)
            let long = String(repeating: "é", count: 1_500)
            let said = [["one", "two\r", "", "a\nb"], [long, long, "end"]]
            for lines in said {
                for lease in try await bench.claim(max: 2).grants.map(\.lease) {
                    let crash = AttemptOutcome.crashed(message: "m", exitCode: 7, signal: nil)
                    let ending = AttemptEnding(lease: lease, outcome: crash, lastLines: lines)
                    try equal(try await bench.store.finish([ending]), [.committed])
                }
            }
            let dead = try await bench.store.deadTasks(of: .a, limit: 9)
            try equal(dead.map(\.spec.name), ["t", "u"])
            try equal(try await bench.store.deadTasks(of: .a, limit: 1).map(\.spec.name), ["t"])
            try equal(try await bench.store.deadTasks(of: .fallback, limit: 9), [])
            let history = dead[0].history
            try equal(history.map(\.cause), ["exit code 7", "exit code 7"])
            try equal(history[0].lastLines, ["one", "two\r", "", "a", "b"])
            try equal(history[1].lastLines, ["end"])
        },
        ContractCase("A person cancels one task: at once, or by heartbeat; a driver with its job") {
            bench in
            let driver = try await bench.drive("a")
            let tasks = (0..<3).map { makeTask("t\($0)", job: "a", retry: .immediate) }
            try await bench.add(tasks, driver)
            let running = try await bench.claimOne()
            let store = bench.store
            let asked = try await store.cancelTask(running.task, by: "me")
            try equal(asked?.cancelRequestedBy, "me")
            try equal(asked?.state, .running(running))
            _ = try await store.cancelTask(running.task, by: "late")
            try equal(try await bench.heartbeat("w-1", [running]).cancelled, [running])
            let waiting = try await store.cancelTask(tasks[1].id, by: "me")
            try equal(waiting?.state, .cancelled(by: "me"))
            try equal(try await store.cancelTask(tasks[1].id, by: "late"), waiting)
            try equal(try await store.cancelTask(TaskID(rawValue: "a/none"), by: "me"), nil)
            _ = try await bench.finish(running, .released)
            try equal(try await bench.state(tasks[0]), .cancelled(by: "me"))
            try equal(try await bench.claim().grants.map(\.task.spec.name), ["t2"])
            let ended = try await store.cancelTask(driver.task, by: "you")
            try equal(ended?.cancelRequestedBy, "you")
            try equal(try await bench.state("a"), .stopping(by: "you"))
            _ = try await store.cancelTask(tasks[2].id, by: "late")
            try equal(try await store.tasks([tasks[2].id])[0]?.cancelRequestedBy, "you")
        },
    ]
}

extension HeartbeatReply {
    /// Nothing to let go.
    static let fine = HeartbeatReply(lost: [], cancelled: [])
}
