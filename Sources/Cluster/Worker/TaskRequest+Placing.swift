internal import Crypto
import Foundation
import JobChannel
import Jobs

/// What a driver says of a task, in the store's words. A driver is the job's own code: what it says
/// is brought within bounds here, and refused by the store where it makes no sense.
extension TaskRequest {
    /// - Parameters:
    ///   - priority: its job's, for a task that does not say its own.
    ///   - milliCPUs: what it is given.
    ///   - input: the frame's payload; not looked at when the input is a blob.
    func newTask(of job: JobID, priority: Int, milliCPUs: Int, input: [UInt8]) -> NewTask {
        let payload: Payload
        var digest: String
        if let inputBlob {
            payload = .blob(digest: inputBlob, sizeInBytes: 0)
            digest = inputBlob
        } else {
            payload = .inline(input)
            digest = SHA256.hash(data: Data(input)).hex
        }
        let role = actor.map { ActorTask($0) }
        if let role { digest = role.digest(of: digest) }
        let name = role?.taskName ?? name
        let id = TaskID.task(of: job, name: name, inputDigest: digest, occurrence: occurrence)
        // An executor is the script's binary, which a worker without a toolchain cannot name.
        var labels: Set = [JobSDK.label]
        if let role { labels.insert(role.label(of: job)) }
        return NewTask(
            id: id, job: job, kind: .task, name: name, input: payload,
            resources: resources(milliCPUs: milliCPUs), labels: labels,
            priority: self.priority ?? priority, retry: retryPolicy, deadlines: deadlines)
    }

    func resources(milliCPUs: Int) -> Resources {
        Resources(
            milliCPUs: milliCPUs, memoryInBytes: max(0, memoryInBytes), gpus: max(0, gpus ?? 0),
            custom: customResources ?? [:])
    }

    var retryPolicy: RetryPolicy {
        var retry = RetryPolicy.task
        retry.attemptsMax = max(1, min(100, attemptsMax))
        retry.retriesErrors = retriesErrors
        if let retryDelay {
            retry.delayInMilliseconds = max(
                0, min(retryDelay, RetryPolicy.delayMaxInMilliseconds))
        }
        return retry
    }

    var deadlines: Deadlines {
        Deadlines(
            scheduleToStart: limits?.scheduleToStart, startToClose: limits?.startToClose,
            scheduleToClose: limits?.scheduleToClose, heartbeat: limits?.heartbeat)
    }
}

extension ActorTask {
    init(_ role: ActorRole) {
        switch role {
        case .life(let instance): self = .life(instance: instance)
        case .call(let instance): self = .call(instance: instance)
        }
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

extension Payload {
    /// Bytes held in this value itself.
    var inlineCount: Int {
        if case .inline(let bytes) = self { bytes.count } else { 0 }
    }
}
