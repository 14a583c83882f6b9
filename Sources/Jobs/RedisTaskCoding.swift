import Redis

/// Tasks, outcomes and payloads as they travel to and from the scripts (`LuaReplies`).
///
/// What comes back is not trusted: anything but the expected shape is `JobStoreError.corrupt`.
enum RedisTaskCoding {
    // MARK: Payloads

    /// `i` and the bytes, or `b`, the size, `:` and the digest.
    static func bytes(of payload: Payload) -> [UInt8] {
        switch payload {
        case .inline(let bytes): [UInt8(ascii: "i")] + bytes
        case .blob(let digest, let size): Array("b\(size):\(digest)".utf8)
        }
    }

    static func payload(_ bytes: [UInt8]) throws(JobStoreError) -> Payload {
        switch bytes.first {
        case UInt8(ascii: "i") where bytes.count <= Payload.inlineMax + 1:
            return .inline(Array(bytes.dropFirst()))
        case UInt8(ascii: "b"):
            let parts = String(decoding: bytes.dropFirst(), as: UTF8.self).split(separator: ":")
            if parts.count == 2, let size = Int64(parts[0]), BlobFiles.isDigest(String(parts[1])) {
                return .blob(digest: String(parts[1]), sizeInBytes: size)
            }
        default: break
        }
        throw .corrupt("a payload of \(bytes.count) bytes")
    }

    // MARK: Sending

    /// - Throws: `.full` for an inline result that is too large.
    static func append(
        _ endings: some Collection<AttemptEnding>, to arguments: inout RedisCommand
    ) throws(JobStoreError) {
        arguments.append(endings.count)
        for ending in endings {
            var isPlain = false
            if case .succeeded = ending.outcome { isPlain = true }
            arguments.append(isPlain ? "s" : "o")
            arguments.append(ending.lease.task.rawValue)
            arguments.append(ending.lease.token)
            arguments.append(ending.lease.worker.rawValue)
            if case .succeeded(let payload) = ending.outcome {
                if case .inline(let bytes) = payload, bytes.count > Payload.inlineMax {
                    throw .full("an inline result has at most \(Payload.inlineMax) bytes")
                }
                arguments.append(bytes(of: payload))
            } else {
                append(
                    try fields(of: ending.outcome.bounded, ending.lastLines), to: &arguments)
            }
        }
    }

    private static func append(_ fields: [[UInt8]], to arguments: inout RedisCommand) {
        for field in fields { arguments.append(field) }
    }

    /// Kind; the last lines of an attempt that failed; text; cause.
    private static func fields(
        of outcome: AttemptOutcome, _ lastLines: [String]
    ) throws(JobStoreError) -> [[UInt8]] {
        func texts(_ kind: String, lines: [String] = [], _ text: [UInt8] = []) -> [[UInt8]] {
            let lines = AttemptRecord.bounded(lines).joined(separator: "\n")
            return [Array(kind.utf8), Array(lines.utf8), text, Array(outcome.cause.utf8)]
        }
        switch outcome {
        case .succeeded(let payload):
            return [Array("succeeded".utf8), bytes(of: payload), [], Array(outcome.cause.utf8)]
        case .released: return texts("released")
        case .cancelled(let whom): return texts("cancelled", Array(whom.utf8))
        case .failed(let message):
            let failure = TaskFailure(kind: .error, message: message)
            return texts("failed", lines: lastLines, Array(try StoreCoding.encode(failure)))
        case .crashed(let message, let exitCode, let signal):
            let failure = TaskFailure(
                kind: .crash, message: message, exitCode: exitCode, signal: signal)
            return texts("crashed", lines: lastLines, Array(try StoreCoding.encode(failure)))
        }
    }

    /// Reads what `takeEndings` wrote: how many, when all were committed, or a word for each.
    static func endingReplies(
        _ value: RESPValue?, count: Int
    ) throws(JobStoreError) -> [EndingReply] {
        if value?.integer == Int64(count) {
            return [EndingReply](repeating: .committed, count: count)
        }
        let words = value?.array?.compactMap { $0.string.flatMap(EndingReply.init) } ?? []
        guard words.count == count else { throw .corrupt("the replies to endings") }
        return words
    }

    // MARK: Receiving

    /// Reads the id and the life of a plain task that succeeded, or what `describe` wrote; nil for
    /// a task that is gone.
    static func end(_ value: RESPValue) throws(JobStoreError) -> EndedTasks.End? {
        guard let fields = value.array else { throw .corrupt("the end of a task") }
        if fields.isEmpty { return nil }
        guard fields.count == 2 else { return .other(try task(value)) }
        var reader = FieldReader(fields: fields[...])
        let id = TaskID(rawValue: try reader.text("id"))
        return .succeeded(id, try RedisTaskForm.result(inLife: try reader.bytes("life")))
    }

    /// Reads what `describe` wrote.
    static func task(_ value: RESPValue) throws(JobStoreError) -> TaskRecord {
        guard let fields = value.array, fields.count == 24 else {
            throw .corrupt("a task is no array of 24 fields")
        }
        var reader = FieldReader(fields: fields[...])
        let id = TaskID(rawValue: try reader.text("id"))
        guard let job = JobID(rawValue: try reader.text("job")), id.job == job,
            let kind = NewTask.Kind(rawValue: try reader.text("kind"))
        else { throw .corrupt("the names of task \(id)") }
        let name = try reader.text("name")
        guard let shape = TaskShape(text: try reader.text("shape")) else {
            throw .corrupt("the shape of task \(id)")
        }
        let priority = try reader.int("priority")
        let retry = RetryPolicy(
            attemptsMax: try reader.int("attemptsMax"),
            retriesErrors: try reader.int("retriesErrors") == 1,
            retriesCrashes: try reader.int("retriesCrashes") == 1,
            delayInMilliseconds: try reader.int64("delay"))
        let created = try reader.int64("created")
        let attempt = try reader.int("attempt")
        let standing = try Standing(&reader, of: id)
        let input = try payload(try reader.bytes("input"))
        let result = try reader.optionalBytes("result")
        let history = try history(reader.next("history"))
        let rare = try Rare(reader.next("what few tasks have"), of: id)
        let spec = NewTask(
            id: id, job: job, kind: kind, name: name, input: input, resources: shape.resources,
            labels: shape.labels, priority: priority, retry: retry,
            deadlines: rare.deadlines, pool: shape.pool)
        var record = TaskRecord(
            spec: spec, state: try standing.state(result: result, of: id), attempt: attempt,
            history: history, createdAt: created)
        if case .running = record.state { record.cancelRequestedBy = standing.by }
        record.endedToken = standing.endedToken == 0 ? nil : standing.endedToken
        record.deadline = record.state.isTerminal ? nil : rare.standing
        record.overdueToken = rare.overdueToken
        record.life = rare.life
        record.scheduledAt = rare.scheduledAt
        record.isHeld = rare.isHeld
        return record
    }

    private static func history(_ value: RESPValue) throws(JobStoreError) -> [AttemptRecord] {
        var records: [AttemptRecord] = []
        for entry in value.array ?? [] {
            guard let parts = entry.array, 4...5 ~= parts.count, let number = parts[0].integer,
                let worker = parts[1].string, let cause = parts[2].string,
                let endedAt = parts[3].integer
            else { throw .corrupt("a task's history") }
            records.append(
                AttemptRecord(
                    number: Int(number), worker: WorkerID(rawValue: worker), cause: cause,
                    endedAt: endedAt,
                    lastLines: AttemptRecord.lines(
                        of: parts.count == 5 ? parts[4].string ?? "" : "")))
        }
        return records
    }

    /// What few tasks have; null for all others.
    private struct Rare {
        var deadlines = Deadlines()
        var standing: StandingDeadline?
        var overdueToken: Int64?
        var life = 1
        var scheduledAt: Int64?
        var isHeld = false

        init(_ value: RESPValue, of id: TaskID) throws(JobStoreError) {
            if value.isNull { return }
            guard let parts = value.array, parts.count == 7,
                let deadlines = parts[0].string.flatMap(Deadlines.init(text:)),
                let kind = parts[1].string, let at = parts[2].integer,
                let token = parts[3].integer, let life = parts[4].integer,
                let scheduled = parts[5].integer
            else { throw .corrupt("the deadlines or the life of task \(id)") }
            self.deadlines = deadlines
            standing = StandingDeadline.Kind(rawValue: kind).map {
                StandingDeadline(kind: $0, at: at)
            }
            overdueToken = token == 0 ? nil : token
            self.life = Int(life)
            scheduledAt = scheduled == 0 ? nil : scheduled
            isHeld = parts[6].integer == 1
        }
    }

    /// The fields that say where a task stands.
    private struct Standing {
        let word: String
        let due: Int64
        let worker: String?
        let token: Int64
        let expiry: Int64
        let by: String?
        let failure: [UInt8]?
        let endedToken: Int64

        init(_ reader: inout FieldReader, of id: TaskID) throws(JobStoreError) {
            word = try reader.text("state")
            due = try reader.int64("due")
            worker = try reader.optionalText("worker")
            token = try reader.int64("token")
            expiry = try reader.int64("expiry")
            by = try reader.optionalText("by")
            failure = try reader.optionalBytes("failure")
            endedToken = try reader.int64("ended")
        }

        func state(result: [UInt8]?, of id: TaskID) throws(JobStoreError) -> TaskState {
            switch word {
            case "waiting": return .waiting(notBefore: due)
            case "running":
                guard let worker else { break }
                return .running(
                    Lease(
                        task: id, worker: WorkerID(rawValue: worker), token: token, expiry: expiry))
            case "succeeded":
                guard let result else { break }
                return .succeeded(try payload(result))
            case "failed":
                guard let failure else { break }
                return .failed(try StoreCoding.decode(TaskFailure.self, from: failure))
            case "cancelled": return .cancelled(by: by ?? JobRecord.endOfJob)
            default: break
            }
            throw .corrupt("the state '\(word)' of task \(id)")
        }
    }
}

/// Reads the fields of a reply from left to right.
struct FieldReader {
    var fields: ArraySlice<RESPValue>

    mutating func next(_ name: String) throws(JobStoreError) -> RESPValue {
        guard let value = fields.popFirst() else { throw .corrupt("\(name) is missing") }
        return value
    }

    mutating func optionalBytes(_ name: String) throws(JobStoreError) -> [UInt8]? {
        let value = try next(name)
        if value.isNull { return nil }
        guard let bytes = value.bytes else { throw .corrupt("\(name) is no string") }
        return bytes
    }

    mutating func bytes(_ name: String) throws(JobStoreError) -> [UInt8] {
        guard let bytes = try optionalBytes(name) else { throw .corrupt("\(name) is missing") }
        return bytes
    }

    mutating func optionalText(_ name: String) throws(JobStoreError) -> String? {
        guard let bytes = try optionalBytes(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .corrupt("\(name) is not UTF-8")
        }
        return text
    }

    mutating func text(_ name: String) throws(JobStoreError) -> String {
        guard let text = try optionalText(name) else { throw .corrupt("\(name) is missing") }
        return text
    }

    mutating func int64(_ name: String) throws(JobStoreError) -> Int64 {
        guard let number = try next(name).integer else { throw .corrupt("\(name) is no number") }
        return number
    }

    mutating func int(_ name: String) throws(JobStoreError) -> Int { Int(try int64(name)) }
}
