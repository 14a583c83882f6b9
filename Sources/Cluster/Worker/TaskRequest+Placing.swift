import JobChannel
import Jobs

/// What a driver says of a task, in the store's words. A driver is the job's own code: what it says
/// is brought within bounds here, and refused by the store where it makes no sense.
extension TaskRequest {
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
