/// How many replicas a gateway keeps and what each may be asked at once, in Ray Serve's words.
package struct ReplicaSettings: Sendable, Hashable {
    /// Requests that one replica works on at a time.
    package var maxOngoingRequests = 5
    /// Requests that may wait for a replica; a further one is refused. -1: as many as there are
    /// connections.
    package var maxQueuedRequests = -1
    /// How long a request waits for a replica before it is refused.
    package var queueTime = Duration.seconds(10)
    /// Between the bounds of which the number of replicas moves; a fixed number has both alike.
    package var autoscaling = AutoscalingSettings()
    /// When a replica counts as lost.
    package var health = HealthRules()

    package init() {}

    /// Refuses what cannot be kept, naming the setting.
    package func validated() throws(GatewayError) -> Self {
        guard (1...10_000).contains(maxOngoingRequests) else {
            throw .configuration(
                "max_ongoing_requests is \(maxOngoingRequests); it must be in 1...10000")
        }
        guard (-1...1_000_000).contains(maxQueuedRequests) else {
            throw .configuration(
                "max_queued_requests is \(maxQueuedRequests); it must be in -1...1000000")
        }
        guard queueTime > .zero, queueTime <= .seconds(600) else {
            throw .configuration("the queue time is \(queueTime); it must be within 600 s")
        }
        try autoscaling.check()
        return self
    }
}

/// Ray Serve's `autoscaling_config`: same names, same meaning, same defaults.
package struct AutoscalingSettings: Sendable, Hashable {
    /// How the samples of the look-back period become one number.
    package enum Aggregation: String, Sendable, CaseIterable {
        case mean, max, min
    }

    package var minReplicas = 1
    package var maxReplicas = 1
    /// What a gateway starts with; nil: `minReplicas`.
    package var initialReplicas: Int?
    /// Requests, running and queued, that one replica should have on average.
    package var targetOngoingRequests = 2.0
    /// Between two samples of the load.
    package var metricsInterval = Duration.seconds(10)
    /// Samples older than this say nothing any more.
    package var lookBackPeriod = Duration.seconds(30)
    /// How long more replicas must be wanted before there are more.
    package var upscaleDelay = Duration.seconds(30)
    package var downscaleDelay = Duration.seconds(600)
    /// For the step from one replica to none; nil: `downscaleDelay`.
    package var downscaleToZeroDelay: Duration?
    /// Which part of the way to the wanted number one step goes; over 1 it goes beyond.
    package var upscalingFactor = 1.0
    package var downscalingFactor = 1.0
    package var aggregation = Aggregation.mean

    package init() {}

    /// A number that does not move.
    package static func fixed(_ count: Int) -> AutoscalingSettings {
        var settings = AutoscalingSettings()
        settings.minReplicas = count
        settings.maxReplicas = count
        return settings
    }

    /// The number of replicas a gateway starts with.
    var firstTarget: Int { initialReplicas ?? minReplicas }

    /// Processes of one gateway: more would only take turns on any machine of today.
    static let replicaCountMax = 1_000

    func check() throws(GatewayError) {
        guard (1...Self.replicaCountMax).contains(maxReplicas),
            (0...maxReplicas).contains(minReplicas),
            (minReplicas...maxReplicas).contains(firstTarget)
        else {
            throw .configuration(
                "min_replicas \(minReplicas), initial_replicas \(firstTarget), max_replicas "
                    + "\(maxReplicas): they must rise in this order, and the last be in "
                    + "1...\(Self.replicaCountMax)")
        }
        guard targetOngoingRequests > 0, targetOngoingRequests <= 1e6 else {
            throw .configuration(
                "target_ongoing_requests is \(targetOngoingRequests); it must be in 0...1000000")
        }
        guard metricsInterval > .zero, lookBackPeriod > .zero else {
            throw .configuration("metrics_interval_s and look_back_period_s must be above 0")
        }
        guard upscaleDelay >= .zero, downscaleDelay >= .zero, downscaleToZeroDelay ?? .zero >= .zero
        else { throw .configuration("a delay of autoscaling must not be below 0") }
        for factor in [upscalingFactor, downscalingFactor]
        where !(factor > 0 && factor <= 100) {
            throw .configuration(
                "upscaling_factor and downscaling_factor must be in 0...100, not \(factor)")
        }
    }
}

/// When a replica counts as lost, in time. The defaults are Ray Serve's, but for `startTime`.
package struct HealthRules: Sendable, Hashable {
    /// Between two questions to a replica.
    package var period = Duration.seconds(10)
    /// For the answer.
    package var timeout = Duration.seconds(30)
    /// Unanswered questions in a row after which the replica is replaced.
    package var failuresMax = 3
    /// From the start of the process until it has its model.
    package var startTime = Duration.seconds(120)
    /// For the requests that a replica still has when it is asked to go.
    package var drainTime = Duration.seconds(20)

    package init() {}
}

/// A replica of this gateway; numbers are not used twice.
package struct ReplicaID: Hashable, Sendable, CustomStringConvertible {
    package let number: Int

    package init(_ number: Int) { self.number = number }

    package var description: String { "replica-\(number)" }
}
