package import Jobs

/// A call of a job store as a value, so that it can travel, be lost, arrive twice, and be replayed.
package enum StoreCall: Sendable, Hashable {
    case submit(NewJob)
    case job(JobID)
    case stop(JobID, by: String)
    case report(JobPhase, of: JobID, under: Lease)
    case enqueue([NewTask], under: Lease)
    case cancel([TaskID], by: String, under: Lease)
    case cancelTask(TaskID, by: String)
    case deadTasks(of: JobID)
    case tasks([TaskID])
    case ended(JobID, from: Int?, limit: Int)
    case claim(ClaimRequest)
    case finish([AttemptEnding])
    case heartbeat(WorkerRecord, leases: [Lease])
    case workers
    case remove(WorkerID)
    case retryJob(JobID)
    case retryTask(TaskID)
    case put(Schedule)
    case deleteSchedule(String)
    case fireSchedules
}

/// What a store answered.
package enum StoreReply: Sendable, Hashable {
    case job(JobRecord?)
    case tasks([TaskRecord?])
    case claimed(ClaimReply)
    case finished([EndingReply])
    case beaten(HeartbeatReply)
    case workers([WorkerRecord])
    case ended(EndedTasks)
    case schedule(ScheduleRecord)
    case jobs([JobRecord])
    case done
    case refused(JobStoreError)
}

extension JobStore {
    /// Makes the call and answers what came of it, errors included.
    package func answer(_ call: StoreCall) async -> StoreReply {
        do {
            return try await reply(to: call)
        } catch let error as JobStoreError {
            return .refused(error)
        } catch {
            return .refused(.corrupt("\(error)"))
        }
    }

    private func reply(to call: StoreCall) async throws -> StoreReply {
        switch call {
        case .submit(let job): return .job(try await submit(job))
        case .job(let id): return .job(try await job(id))
        case .stop(let job, let whom): return .job(try await stop(job, by: whom))
        case .report(let phase, let job, let lease):
            try await report(phase, of: job, under: lease)
        case .enqueue(let tasks, let lease):
            return .tasks(try await enqueue(tasks, under: lease))
        case .cancel(let tasks, let whom, let lease):
            try await cancel(tasks, by: whom, under: lease)
        case .cancelTask(let task, let whom):
            return .tasks([try await cancelTask(task, by: whom)])
        case .deadTasks(let job): return .tasks(try await deadTasks(of: job, limit: 100))
        case .tasks(let ids): return .tasks(try await tasks(ids))
        case .ended(let job, let start, let limit):
            return .ended(try await ended(of: job, from: start, limit: limit))
        case .claim(let request): return .claimed(try await claim(request))
        case .finish(let endings): return .finished(try await finish(endings))
        case .heartbeat(let worker, let leases):
            return .beaten(try await heartbeat(worker, leases: leases))
        case .workers: return .workers(try await workers())
        case .remove(let worker): try await remove(worker)
        case .retryJob(let id): return .job(try await retry(job: id))
        case .retryTask(let id): return .tasks([try await retry(task: id)])
        case .put(let schedule): return .schedule(try await put(schedule))
        case .deleteSchedule(let name): _ = try await deleteSchedule(name)
        case .fireSchedules: return .jobs(try await fireSchedules())
        }
        return .done
    }
}

extension EndedTasks.End {
    var id: TaskID {
        switch self {
        case .succeeded(let id, _): id
        case .other(let record): record.spec.id
        }
    }
}
