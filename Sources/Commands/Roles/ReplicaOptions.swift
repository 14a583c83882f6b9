import ArgumentParser
import Serving

/// How many replicas a gateway keeps, in the words of Ray Serve's deployments.
struct ReplicaOptions: ParsableArguments {
    @Option(help: "Model servers in processes of their own; auto: 1 to 100. Default: none apart.")
    var replicas: String?

    @Option(help: "Requests that one replica works on at a time (5).")
    var maxOngoingRequests: Int?

    @Option(help: "Requests that may wait for a replica; -1: as many as there are connections.")
    var maxQueuedRequests: Int?

    @Option(help: "Seconds that a request waits for a replica (10).")
    var queueTimeoutS: Double?

    @Option(help: "The least number of replicas (1); with 0 the first request starts one.")
    var minReplicas: Int?

    @Option(help: "The greatest number of replicas.")
    var maxReplicas: Int?

    @Option(help: "Replicas at the start; default: the least.")
    var initialReplicas: Int?

    @Option(help: "Requests, running and queued, that a replica should have on average (2).")
    var targetOngoingRequests: Double?

    @Option(help: "Seconds between two looks at the load (10).")
    var metricsIntervalS: Double?

    @Option(help: "Seconds of looks that count (30).")
    var lookBackPeriodS: Double?

    @Option(help: "Seconds for which more must be wanted (30).")
    var upscaleDelayS: Double?

    @Option(help: "Seconds for which fewer must be wanted (600).")
    var downscaleDelayS: Double?

    @Option(help: "The same for the step to none; default: as for fewer.")
    var downscaleToZeroDelayS: Double?

    @Option(help: "The part of the way up that one step takes (1).")
    var upscalingFactor: Double?

    @Option(help: "The part of the way down that one step takes (1).")
    var downscalingFactor: Double?

    @Option(help: "How the looks become one number: mean, max or min.")
    var aggregationFunction: String?

    /// Nil where no replicas of their own are asked for.
    func settings() throws -> ReplicaSettings? {
        var settings = ReplicaSettings()
        if let autoscaling = try autoscaling() {
            settings.autoscaling = autoscaling
        } else if let replicas {
            settings.autoscaling = try Self.count(replicas)
        } else if maxOngoingRequests != nil || maxQueuedRequests != nil || queueTimeoutS != nil {
            throw SettingError(
                "--max-ongoing-requests, --max-queued-requests and --queue-timeout-s are for "
                    + "replicas; give --replicas or --max-replicas too.")
        } else {
            return nil
        }
        if let maxOngoingRequests { settings.maxOngoingRequests = maxOngoingRequests }
        if let maxQueuedRequests { settings.maxQueuedRequests = maxQueuedRequests }
        if let time = try Self.time("--queue-timeout-s", queueTimeoutS) {
            settings.queueTime = time
        }
        return settings
    }

    private static func count(_ text: String) throws -> AutoscalingSettings {
        if text == "auto" {
            var settings = AutoscalingSettings()
            settings.maxReplicas = 100
            return settings
        }
        guard let count = Int(text), count > 0 else {
            throw SettingError("--replicas takes a number above 0 or auto, not '\(text)'.")
        }
        return .fixed(count)
    }

    /// Nil where no option of it is given. Ray refuses both together in the same way.
    private func autoscaling() throws -> AutoscalingSettings? {
        let isGiven =
            [minReplicas, maxReplicas, initialReplicas].contains { $0 != nil }
            || [
                targetOngoingRequests, metricsIntervalS, lookBackPeriodS, upscaleDelayS,
                downscaleDelayS, downscaleToZeroDelayS, upscalingFactor, downscalingFactor,
            ].contains { $0 != nil } || aggregationFunction != nil
        guard isGiven else { return nil }
        guard replicas == nil || replicas == "auto" else {
            throw SettingError(
                "--replicas sets a fixed number; leave it out, or the options of autoscaling.")
        }
        var settings = AutoscalingSettings()
        if replicas == "auto" { settings.maxReplicas = 100 }
        if let minReplicas { settings.minReplicas = minReplicas }
        if let maxReplicas { settings.maxReplicas = maxReplicas }
        settings.initialReplicas = initialReplicas
        if let targetOngoingRequests { settings.targetOngoingRequests = targetOngoingRequests }
        if let upscalingFactor { settings.upscalingFactor = upscalingFactor }
        if let downscalingFactor { settings.downscalingFactor = downscalingFactor }
        try setTimes(of: &settings)
        if let name = aggregationFunction {
            guard let way = AutoscalingSettings.Aggregation(rawValue: name) else {
                throw SettingError("--aggregation-function takes mean, max or min, not '\(name)'.")
            }
            settings.aggregation = way
        }
        return settings
    }

    private func setTimes(of settings: inout AutoscalingSettings) throws {
        if let time = try Self.time("--metrics-interval-s", metricsIntervalS) {
            settings.metricsInterval = time
        }
        if let time = try Self.time("--look-back-period-s", lookBackPeriodS) {
            settings.lookBackPeriod = time
        }
        if let time = try Self.time("--upscale-delay-s", upscaleDelayS) {
            settings.upscaleDelay = time
        }
        if let time = try Self.time("--downscale-delay-s", downscaleDelayS) {
            settings.downscaleDelay = time
        }
        settings.downscaleToZeroDelay = try Self.time(
            "--downscale-to-zero-delay-s", downscaleToZeroDelayS)
    }

    private static func time(_ name: String, _ seconds: Double?) throws -> Duration? {
        guard let seconds else { return nil }
        guard (0...1e6).contains(seconds) else {
            throw SettingError("\(name) must be in 0...1000000 seconds, not \(seconds).")
        }
        return .seconds(seconds)
    }
}
