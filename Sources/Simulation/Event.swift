import Jobs

/// Something that happens at one moment of a history.
enum Event {
    case callArrives(Int)
    case callAnswered(Int, StoreReply)
    /// No answer came in time, or the connection was refused.
    case callGivenUp(Int)
    case fault(HistoryPlan.Fault)
    case restart(slot: Int, incarnation: Int)
    case client(Int)
    case userStops(Int)
    /// Someone who keeps a schedule acts.
    case schedule
    /// A head looks for schedules that are due.
    case headFires(Int)
    case hint(slot: Int, StoreSignal)
    case worker(WorkerKey, WorkerEvent)

    /// The process without which the event means nothing.
    var worker: WorkerKey? {
        if case .worker(let key, _) = self { key } else { nil }
    }
}

/// One run of a worker process: what is meant for an earlier one reaches nobody.
struct WorkerKey: Hashable {
    let slot: Int
    let incarnation: Int
}

/// What happens inside one worker and the processes it has started.
enum WorkerEvent {
    /// The wait before the next claim is over, unless a later one has begun.
    case claimDue(wait: Int)
    case heartbeatDue
    /// What was granted ahead has waited long enough for its slot.
    case aheadDue([Int64])
    case attemptEnds(token: Int64, AttemptOutcome?)
    case driverStarts(token: Int64)
    /// Bytes of the channel between a driver and its worker.
    case arrives(token: Int64, [UInt8], isForDriver: Bool)
    case driverExits(token: Int64, ProcessEnd)
    case sessionSends(token: Int64)
    case sessionLooks(token: Int64)
    /// Everything it ran is ended: what was left is told to the store.
    case leaves
}

enum ProcessEnd: Hashable {
    case code(Int32)
    case signal(Int32)
}

/// Who waits for the answer of a call.
enum Caller {
    case worker(WorkerKey, WorkerRequest)
    /// Through a head, which may be gone when the answer comes.
    case client(Int, ClientRequest, HeadEpoch)
    case schedule(HeadEpoch)
    /// The head itself, which fires schedules.
    case head

    var worker: WorkerKey? {
        if case .worker(let key, _) = self { key } else { nil }
    }
}

/// One run of a head: it ends with the next outage.
struct HeadEpoch: Hashable {
    let head: Int
    let downUntil: Int64
}

enum WorkerRequest {
    case claim(sent: Int)
    /// One of the beats of its loop, or one more because a job changed.
    case heartbeat(isRegular: Bool)
    case enqueue(token: Int64, count: Int)
    case place(token: Int64)
    case look(token: Int64, from: Int)
    case ask(token: Int64, [TaskID])
    case report
    case leave
}

enum ClientRequest: Hashable {
    case submit
    case stop
    case watch
    case retry
    /// Something whose answer changes nothing for the client.
    case look
}

extension StoreCall {
    /// What a store would tell its listeners after this call.
    func signal(_ reply: StoreReply) -> StoreSignal? {
        switch (self, reply) {
        case (.submit, .job), (.fireSchedules, .jobs): .work
        case (.retryJob, .job), (.retryTask, .tasks): .work
        case (.enqueue, .tasks): .work
        case (.stop(let job, _), .job): .job(job)
        case (.cancelTask(let task, _), .tasks): task.job.map { .job($0) }
        case (.claim(let request), .claimed): signal(request.endings)
        case (.finish(let endings), .finished): signal(endings)
        default: nil
        }
    }

    private func signal(_ endings: [AttemptEnding]) -> StoreSignal? {
        endings.first.flatMap { $0.lease.task.job }.map { .tasks($0) }
    }

    /// One line for people.
    var summary: String {
        switch self {
        case .submit(let job): "submit \(job.id)"
        case .job(let id): "read \(id)"
        case .stop(let job, let whom): "stop \(job) by \(whom)"
        case .report(let phase, let job, _): "report \(job) \(phase)"
        case .enqueue(let tasks, let lease):
            "enqueue \(tasks.map(\.id.short)) under \(lease.token)"
        case .cancel(let tasks, _, _): "cancel \(tasks.map(\.short))"
        case .cancelTask(let task, let whom): "cancel \(task.short) by \(whom)"
        case .deadTasks(let job): "read what failed of \(job)"
        case .tasks(let ids): "read \(ids.map(\.short))"
        case .ended(let job, let start, _):
            "read ends of \(job) from \(start.map { "\($0)" } ?? "here")"
        case .claim(let request):
            "claim by \(request.worker) \(request.endings.map(\.summary)) "
                + "free \(request.free.milliCPUs)+\(request.driverSlots)"
                + (request.ahead.isEmpty ? "" : " ahead \(request.ahead.map(\.count))")
        case .finish(let endings): "finish \(endings.map(\.summary))"
        case .heartbeat(let worker, let leases):
            "heartbeat of \(worker.id) \(leases.map { "\($0.task.short)@\($0.token)" })"
        case .workers: "read workers"
        case .remove(let worker): "remove \(worker)"
        case .retryJob(let id): "retry \(id)"
        case .retryTask(let id): "retry \(id.short)"
        case .put(let schedule): "put the schedule \(schedule.name)"
        case .deleteSchedule(let name): "delete the schedule \(name)"
        case .fireSchedules: "fire schedules"
        }
    }
}

extension AttemptEnding {
    var summary: String {
        let word: String =
            switch outcome {
            case .succeeded: "succeeded"
            case .failed: "threw"
            case .crashed: "crashed"
            case .released: "handed back"
            case .cancelled: "cancelled"
            }
        return "\(lease.task.short)@\(lease.token) \(word)"
    }
}

extension StoreReply {
    var summary: String {
        switch self {
        case .job(let record): record.map { "\($0.state)" } ?? "unknown"
        case .tasks(let records):
            "\(records.map { $0.map { "\($0.spec.id.short) \($0.state.word)" } ?? "unknown" })"
        case .claimed(let reply):
            "\(reply.endings.map(\.rawValue)) granted "
                + "\(reply.grants.map { "\($0.lease.task.short)@\($0.lease.token)" })"
        case .finished(let replies): "\(replies.map(\.rawValue))"
        case .beaten(let reply):
            "lost \(reply.lost.map(\.token)), cancelled \(reply.cancelled.map(\.token))"
        case .workers(let records): "\(records.count) workers"
        case .schedule(let record): "next fire \(record.nextFire), last \(record.lastFire ?? 0)"
        case .jobs(let records): "\(records.map(\.spec.id.rawValue))"
        case .ended(let ends):
            "\(ends.tasks.map(\.id.short)), next \(ends.next)"
        case .done: "done"
        case .refused(let error): "refused: \(error)"
        }
    }
}

extension TaskID {
    /// Without the middle of the input's digest.
    var short: String {
        let parts = rawValue.split(separator: "/")
        guard parts.count == 4 else { return rawValue }
        return "\(parts[0])/\(parts[1])/\(parts[2].suffix(2))/\(parts[3])"
    }
}

extension TaskState {
    var word: String {
        switch self {
        case .waiting: "waiting"
        case .running(let lease): "running@\(lease.token)"
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }
}
