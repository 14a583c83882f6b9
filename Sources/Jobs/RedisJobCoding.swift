import Redis

/// Jobs as the fields of their hash.
enum RedisJobCoding {
    /// Reads the pairs of HGETALL; nil when there are none.
    static func job(_ value: RESPValue?) throws(JobStoreError) -> JobRecord? {
        guard let flat = value?.array, flat.count.isMultiple(of: 2) else {
            throw .corrupt("a job is no list of fields")
        }
        if flat.isEmpty { return nil }
        var fields: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: flat.count, by: 2) {
            guard let name = flat[index].string, let bytes = flat[index + 1].bytes else {
                throw .corrupt("a field of a job")
            }
            fields[name] = bytes
        }
        return try job(JobFields(values: fields))
    }

    private static func job(_ fields: JobFields) throws(JobStoreError) -> JobRecord {
        guard let specBytes = fields.values["spec"], let submitted = fields.number("submitted")
        else { throw .corrupt("a job without what was submitted") }
        let spec = try StoreCoding.decode(NewJob.self, from: specBytes)
        var record = JobRecord(
            spec: spec, state: try state(fields, of: spec.id), submittedAt: submitted)
        record.startedAt = fields.number("started")
        record.endedAt = fields.number("ended")
        record.driverAttempts = fields.count("driverAttempts")
        record.tasksTotal = fields.count("total")
        record.tasksSucceeded = fields.count("succeeded")
        record.tasksFailed = fields.count("failed")
        record.tasksRetried = fields.count("retried")
        record.lives = max(1, fields.count("life"))
        record.waitsFor = (fields.text("waitsFor") ?? "").split(separator: ",")
            .compactMap { JobID(rawValue: String($0)) }
        return record
    }

    private static func state(_ fields: JobFields, of id: JobID) throws(JobStoreError) -> JobState {
        switch fields.text("state") {
        case "active": return .active(try phase(fields, of: id))
        case "stopping": return .stopping(by: fields.text("by") ?? "")
        case "stopped": return .stopped(by: fields.text("by") ?? "")
        case "succeeded":
            guard let bytes = fields.values["result"] else { break }
            let result = try RedisTaskCoding.payload(bytes)
            return .succeeded(result: result == .inline([]) ? nil : result)
        case "failed":
            guard let bytes = fields.values["failure"] else { break }
            return .failed(try StoreCoding.decode(TaskFailure.self, from: bytes))
        default: break
        }
        throw .corrupt("the state of job \(id)")
    }

    private static func phase(_ fields: JobFields, of id: JobID) throws(JobStoreError) -> JobPhase {
        let worker = fields.text("phaseWorker") ?? ""
        switch fields.text("phase") {
        case "queued": return .queued
        case "compiling": return .compiling(worker: worker)
        case "running": return .running(worker: worker)
        default: throw .corrupt("the phase of job \(id)")
        }
    }

    /// The word and the worker of a phase.
    static func words(of phase: JobPhase) -> (phase: String, worker: String) {
        switch phase {
        case .queued: ("queued", "")
        case .compiling(let worker): ("compiling", worker)
        case .running(let worker): ("running", worker)
        }
    }
}

/// A job's hash.
private struct JobFields {
    let values: [String: [UInt8]]

    func text(_ name: String) -> String? {
        values[name].flatMap { String(validating: $0, as: UTF8.self) }
    }

    func number(_ name: String) -> Int64? { text(name).flatMap { Int64($0) } }

    func count(_ name: String) -> Int { number(name).map { Int($0) } ?? 0 }
}
