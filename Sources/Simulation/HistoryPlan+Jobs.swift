import Jobs

/// What there is to do in a history.
extension HistoryPlan {
    /// One call of a driver's program: the same call twice is two tasks.
    struct Call: Sendable, Hashable {
        let name: String
        let input: UInt8

        func id(of job: JobID, occurrence: Int) -> TaskID {
            // Stands for the SHA-256 of the input: as long, and different for different inputs.
            let digest = String(repeating: "0", count: 62) + (input == 0 ? "00" : "01")
            return .task(of: job, name: name, inputDigest: digest, occurrence: occurrence)
        }
    }

    /// What is asked of the tasks of one name.
    struct TaskTerms: Sendable {
        /// Nearly every attempt takes a few milliseconds, less than asking for the next task.
        var isShort = false
        var licences = 0
        var priority = 0
        var deadlines = Deadlines()
        var retry = RetryPolicy.task
    }

    struct Job: Sendable {
        let spec: NewJob
        /// Calls of one stage are made at once; the next stage begins when all are answered.
        let stages: [[Call]]
        let terms: [String: TaskTerms]
        let submittedAt: Int64
        let stoppedAt: Int64?
        /// Its user cancels a task, or lets it begin anew, now and then.
        let isMeddledWith: Bool
        /// How often its user retries it when it failed or was stopped.
        let retriesMax: Int
    }

    /// A schedule that someone puts, waits for, and deletes when its first job is over.
    struct ScheduledJob: Sendable {
        let schedule: Schedule
        let stages: [[Call]]
        let putAt: Int64

        func fired(_ id: JobID) -> Bool { id.rawValue.hasPrefix(schedule.name + "-") }
    }

    static func jobs(until end: Int64, _ dice: inout Dice) -> [Job] {
        var jobs: [Job] = []
        let isChained = dice.happens(perMille: 250)
        for number in 1...(1 + dice.index(below: 3)) {
            let after = isChained ? jobs.last?.spec.id : nil
            if let job = HistoryPlan.job(number, after: after, until: end, &dice) {
                jobs.append(job)
            }
        }
        return jobs
    }

    private static func job(
        _ number: Int, after: JobID?, until end: Int64, _ dice: inout Dice
    ) -> Job? {
        guard let id = JobID(rawValue: "job-\(number)") else { return nil }
        let isBusy = dice.happens(perMille: 40)
        let stages = isBusy ? busyStage(&dice) : HistoryPlan.stages(&dice)
        let stop = dice.happens(perMille: 150) ? dice.number(in: start...end) : nil
        var spec = NewJob(id: id, entrypoint: script, priority: dice.index(below: 3))
        if dice.happens(perMille: 150) { spec.pool = otherPool }
        spec.after = after.map { [$0] }
        if dice.happens(perMille: 150) {
            spec.deadlines = Deadlines(
                scheduleToStart: dice.happens(perMille: 300) ? dice.number(in: 500...8_000) : nil,
                scheduleToClose: dice.number(in: 2_000...20_000))
        }
        var terms: [String: TaskTerms] = [:]
        // The machine with licences does not serve the second pool.
        let mayLicense = spec.pool == nil
        for name in ["grow", "score"] { terms[name] = self.terms(mayLicense, &dice) }
        terms["touch"] = TaskTerms(isShort: true)
        return Job(
            spec: spec, stages: stages, terms: terms,
            submittedAt: dice.number(in: start...(start + 1_000)), stoppedAt: stop,
            isMeddledWith: dice.happens(perMille: 100),
            retriesMax: dice.happens(perMille: 300) ? 1 + dice.index(below: 2) : 0)
    }

    static func scheduledJob(_ dice: inout Dice) -> ScheduledJob? {
        guard let id = JobID(rawValue: "nightly") else { return nil }
        let job = NewJob(id: id, entrypoint: script)
        return ScheduledJob(
            schedule: Schedule(name: "nightly", cron: "* * * * *", job: job),
            stages: stages(&dice), putAt: dice.number(in: start...(start + 3_500)))
    }

    private static var script: Entrypoint {
        .script(
            fileName: "train.swift", digest: String(repeating: "a", count: 64), arguments: [])
    }

    private static func stages(_ dice: inout Dice) -> [[Call]] {
        (0..<(1 + dice.index(below: 3))).map { _ in
            // Few inputs, so that calls are often the same.
            (0..<(1 + dice.index(below: 4))).map { _ in
                Call(
                    name: dice.happens(perMille: 700) ? "grow" : "score",
                    input: UInt8(dice.index(below: 2)))
            }
        }
    }

    /// Many short tasks at once, of which workers take some ahead.
    private static func busyStage(_ dice: inout Dice) -> [[Call]] {
        [
            (0..<Int(dice.number(in: 20...36))).map { _ in
                Call(name: "touch", input: UInt8(dice.index(below: 2)))
            }
        ]
    }

    private static func terms(_ mayLicense: Bool, _ dice: inout Dice) -> TaskTerms {
        var terms = TaskTerms()
        if mayLicense, dice.happens(perMille: 200) { terms.licences = 500 }
        if dice.happens(perMille: 250) { terms.priority = dice.index(below: 4) }
        if dice.happens(perMille: 200) {
            terms.retry.delayInMilliseconds = dice.tail(1, 1_500)
            terms.retry.retriesErrors = dice.happens(perMille: 500)
        }
        guard dice.happens(perMille: 200) else { return terms }
        var limits = Deadlines()
        if dice.happens(perMille: 300) { limits.scheduleToStart = dice.number(in: 300...6_000) }
        if dice.happens(perMille: 500) { limits.startToClose = dice.number(in: 100...3_000) }
        if dice.happens(perMille: 300) { limits.scheduleToClose = dice.number(in: 500...12_000) }
        if dice.happens(perMille: 300) { limits.heartbeat = dice.number(in: 1_500...3_000) }
        terms.deadlines = limits
        return terms
    }
}
