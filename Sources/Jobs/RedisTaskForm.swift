import Redis

/// The texts in which tasks stand in Redis (`LuaTaskForms`), which plain ones also travel in.
enum RedisTaskForm {
    /// What of a task its driver's worker sends:
    /// `attemptsMax|delay|retries|deadlines|length of name|name`, then the input.
    static func sent(_ task: NewTask) -> [UInt8] {
        let retry = task.retry
        let retries = (retry.retriesErrors ? "e" : "") + (retry.retriesCrashes ? "c" : "")
        let head =
            "\(retry.attemptsMax)|\(retry.delayInMilliseconds)|\(retries)|\(task.deadlines.text)|"
            + "\(task.name.utf8.count)|\(task.name)"
        return Array(head.utf8) + RedisTaskCoding.bytes(of: task.input)
    }

    /// Tasks in order, cut where shape, priority or kind of form change.
    static func append(_ tasks: some Collection<NewTask>, to arguments: inout RedisCommand) {
        var runs: [(key: RunKey, tasks: [NewTask])] = []
        var shapes = ShapeTexts()
        for task in tasks {
            let key = RunKey(
                flag: task.deadlines.isEmpty ? "p" : "d", shape: shapes.text(of: task),
                priority: task.effectivePriority)
            if runs.last?.key != key { runs.append((key, [])) }
            runs[runs.count - 1].tasks.append(task)
        }
        arguments.append(runs.count)
        for run in runs {
            arguments.append(run.key.flag)
            arguments.append(run.key.shape)
            arguments.append(run.key.priority)
            arguments.append(run.tasks.count)
            for task in run.tasks {
                arguments.append(task.id.rawValue)
                arguments.append(sent(task))
            }
        }
    }

    private struct RunKey: Equatable {
        let flag: String
        let shape: String
        let priority: Int
    }

    /// Reads what plain tasks are, which few shapes among them have in common.
    struct Reader {
        private var shapes: [String: TaskShape] = [:]

        /// A task at its first attempt.
        ///
        /// - Parameter spec: flag, created, sequence, priority, shape, then what was sent.
        /// - Throws: `.corrupt` for anything else than a plain task of this id's job.
        mutating func task(
            _ id: TaskID, spec: [UInt8], state: TaskState, attempt: Int
        ) throws(JobStoreError) -> TaskRecord {
            var fields = FormFields(bytes: spec[...])
            guard let job = id.job, fields.next() == "p",
                let created = fields.next().flatMap(Int64.init),
                fields.next() != nil, let priority = fields.next().flatMap(Int.init),
                let shapeText = fields.next(), let shape = try shape(shapeText, of: id),
                let attemptsMax = fields.next().flatMap(Int.init),
                let delay = fields.next().flatMap(Int64.init), let retries = fields.next(),
                fields.next() == "", let nameLength = fields.next().flatMap(Int.init),
                (0...fields.bytes.count).contains(nameLength),
                let name = String(validating: fields.bytes.prefix(nameLength), as: UTF8.self)
            else { throw .corrupt("what task \(id) is") }
            let input = try RedisTaskCoding.payload(Array(fields.bytes.dropFirst(nameLength)))
            let retry = RetryPolicy(
                attemptsMax: attemptsMax, retriesErrors: retries.contains("e"),
                retriesCrashes: retries.contains("c"), delayInMilliseconds: delay)
            let spec = NewTask(
                id: id, job: job, kind: shape.kind, name: name, input: input,
                resources: shape.resources, labels: shape.labels, priority: priority, retry: retry,
                deadlines: Deadlines(), pool: shape.pool)
            return TaskRecord(
                spec: spec, state: state, attempt: attempt, history: [], createdAt: created)
        }

        private mutating func shape(
            _ text: String, of id: TaskID
        ) throws(JobStoreError) -> TaskShape? {
            if let known = shapes[text] { return known }
            guard let shape = TaskShape(text: text) else { throw .corrupt("the shape of \(id)") }
            shapes[text] = shape
            return shape
        }
    }

    /// The result in what is kept of a plain task that succeeded: `s|attempt|token|result`.
    static func result(inLife life: [UInt8]) throws(JobStoreError) -> Payload {
        var fields = FormFields(bytes: life[...])
        guard fields.next() == "s", fields.next() != nil, fields.next() != nil else {
            throw .corrupt("what became of a task")
        }
        return try RedisTaskCoding.payload(Array(fields.bytes))
    }
}

/// Reads fields that end with `|` from left to right; `bytes` are those that follow.
private struct FormFields {
    var bytes: ArraySlice<UInt8>

    mutating func next() -> String? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "|")) else { return nil }
        defer { bytes = bytes[(end + 1)...] }
        return String(validating: bytes[..<end], as: UTF8.self)
    }
}
