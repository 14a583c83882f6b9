import JobChannel

extension RemoteTask {
    /// The same task with other settings for the calls that are made through it, as in
    /// `cluster.map(score.options(numCPUs: 2, maxRetries: 5), over: inputs)`.
    ///
    /// What is nil stays as it is. The first six are called as Ray calls them. Deadlines are bounds
    /// of 1 ms to 365 days, kept by the cluster; a script that runs alone keeps none. They and
    /// priorities count for new calls only: an equal call that waits already stays as it is.
    ///
    /// - Parameters:
    ///   - numCPUs: CPU slots one call takes, 0.001 to 1024.
    ///   - numGPUs: GPUs one call takes, 0 to 1024.
    ///   - memory: bytes one call may need; 0 when it is little.
    ///   - resources: whatever else a worker was given with `--resource NAME=N`, by name: at most
    ///     16, each 0.001 to 1,000,000.
    ///   - maxRetries: how often a call is tried again, 0 to 99.
    ///   - retryExceptions: whether an error that the body throws is worth another attempt.
    ///   - retryDelay: the wait before the second attempt, which doubles from there; at most 30 s.
    ///   - scheduleToStart: how long a call may wait for a worker; then it fails.
    ///   - startToClose: how long one attempt may run; another one follows while there are retries.
    ///   - scheduleToClose: how long the whole call may take; then it fails.
    ///   - heartbeat: how long the worker of a call may be silent before another one is asked; at
    ///     most 10 minutes.
    ///   - priority: calls with a higher one are granted first, −1000 to 1000.
    public func options(
        numCPUs: Double? = nil, numGPUs: Int? = nil, memory: Int64? = nil,
        resources: [String: Double]? = nil, maxRetries: Int? = nil, retryExceptions: Bool? = nil,
        retryDelay: Duration? = nil, scheduleToStart: Duration? = nil,
        startToClose: Duration? = nil, scheduleToClose: Duration? = nil,
        heartbeat: Duration? = nil, priority: Int? = nil
    ) -> RemoteTask {
        var task = self
        task.options.setResources(numCPUs, numGPUs, memory, resources)
        task.options.setRetries(maxRetries, retryExceptions, retryDelay)
        let limits = task.options.limits
        task.options.limits.scheduleToStart =
            scheduleToStart.map(TaskOptions.limit) ?? limits.scheduleToStart
        task.options.limits.startToClose =
            startToClose.map(TaskOptions.limit) ?? limits.startToClose
        task.options.limits.scheduleToClose =
            scheduleToClose.map(TaskOptions.limit) ?? limits.scheduleToClose
        task.options.limits.heartbeat = heartbeat.map(TaskOptions.limit) ?? limits.heartbeat
        if let priority {
            precondition((-1_000...1_000).contains(priority), "priority must be in -1000...1000")
            task.options.priority = priority
        }
        return task
    }
}

extension TaskOptions {
    fileprivate mutating func setResources(
        _ numCPUs: Double?, _ numGPUs: Int?, _ memory: Int64?, _ custom: [String: Double]?
    ) {
        if let numCPUs {
            precondition((0.001...1_024).contains(numCPUs), "numCPUs must be in 0.001...1024")
            milliCPUs = Int((numCPUs * 1_000).rounded())
        }
        if let numGPUs {
            precondition((0...1_024).contains(numGPUs), "numGPUs must be in 0...1024")
            gpus = numGPUs
        }
        if let memory {
            precondition(memory >= 0, "memory must not be negative")
            memoryInBytes = memory
        }
        if let custom {
            precondition(custom.count <= 16, "a task has at most 16 custom resources")
            for (name, amount) in custom {
                precondition(
                    (1...64).contains(name.utf8.count) && (0.001...1_000_000).contains(amount),
                    "a resource has a name of 1 to 64 bytes and is in 0.001...1000000")
            }
            resources = custom.mapValues { Int(($0 * 1_000).rounded()) }
        }
    }

    fileprivate mutating func setRetries(
        _ maxRetries: Int?, _ retryExceptions: Bool?, _ delay: Duration?
    ) {
        if let maxRetries {
            precondition((0...99).contains(maxRetries), "maxRetries must be in 0...99")
            attemptsMax = maxRetries + 1
        }
        if let retryExceptions { retriesErrors = retryExceptions }
        if let delay {
            precondition(
                (Duration.zero...Duration.seconds(30)).contains(delay),
                "retryDelay must be in 0...30 seconds")
            retryDelay = TaskOptions.milliseconds(delay)
        }
    }

    fileprivate static func limit(_ duration: Duration) -> Int64 {
        precondition(
            (Duration.milliseconds(1)...Duration.seconds(365 * 86_400)).contains(duration),
            "a deadline must be in 1 ms...365 days")
        return milliseconds(duration)
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000
            + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
