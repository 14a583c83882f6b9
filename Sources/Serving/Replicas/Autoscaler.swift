/// Decides how many replicas there should be: a function of time and load, with Ray Serve's
/// settings and their meaning.
///
/// The load (requests running and queued) is sampled; the mean of the samples over
/// `targetOngoingRequests` is the number wanted, and the target goes there when the direction has
/// held for its delay. From no replica it goes up at once, since somebody waits; to none it goes
/// from one only, after a delay of its own.
struct Autoscaler: Sendable {
    /// A change of the target, and why.
    struct Decision: Equatable, Sendable {
        let at: Duration
        let from: Int
        let to: Int
        let reason: String
    }

    let settings: AutoscalingSettings
    private(set) var target: Int
    /// The last ones, newest last.
    private(set) var decisions: [Decision] = []
    private var samples: [(at: Duration, load: Double)] = []
    private var higherSince: Duration?
    private var lowerSince: Duration?

    /// Decisions that are kept for people to read.
    static let decisionsMax = 10

    init(_ settings: AutoscalingSettings) {
        self.settings = settings
        target = settings.firstTarget
    }

    /// Takes the load at `now` in; a decision where the target changes. Called as often as one
    /// likes: samples are taken every `metricsInterval`.
    mutating func step(load: Int, at now: Duration) -> Decision? {
        sample(Double(load), at: now)
        guard settings.minReplicas < settings.maxReplicas else { return nil }
        if target == 0 { return wake(load: load, at: now) }
        let load = aggregate
        let wanted = wantedCount(for: load)
        guard wanted != target else {
            (higherSince, lowerSince) = (nil, nil)
            return nil
        }
        let (since, delay) = mark(wanted, at: now)
        guard now - since >= delay else { return nil }
        return decide(
            wanted, at: now,
            because: "\(Self.text(load)) requests running and queued, "
                + "\(settings.aggregation.rawValue) of \(Self.text(settings.lookBackPeriod)), make "
                + "\(Self.text(load / settings.targetOngoingRequests)) replicas of "
                + "\(Self.text(settings.targetOngoingRequests)) each; so for \(Self.text(delay))")
    }

    private mutating func wake(load: Int, at now: Duration) -> Decision? {
        guard load > 0 else { return nil }
        let first = min(settings.maxReplicas, max(1, Int(settings.upscalingFactor.rounded(.up))))
        return decide(first, at: now, because: "\(load) requests and no replica")
    }

    private mutating func sample(_ load: Double, at now: Duration) {
        if let last = samples.last, now - last.at < settings.metricsInterval { return }
        samples.append((now, load))
        let oldest = now - settings.lookBackPeriod
        samples.removeAll { $0.at < oldest }
    }

    private var aggregate: Double {
        let loads = samples.map(\.load)
        return switch settings.aggregation {
        case .mean: loads.isEmpty ? 0 : loads.reduce(0, +) / Double(loads.count)
        case .max: loads.max() ?? 0
        case .min: loads.min() ?? 0
        }
    }

    private func wantedCount(for load: Double) -> Int {
        let current = Double(target)
        let raw = load / settings.targetOngoingRequests
        let factor = raw > current ? settings.upscalingFactor : settings.downscalingFactor
        // The subtraction keeps 6.000000001 from becoming 7.
        var wanted = Int((min(current + factor * (raw - current), 1e6) - 1e-9).rounded(.up))
        // A small factor must not hold a replica for ever that the load does not need.
        if wanted == target, Int((raw - 1e-9).rounded(.up)) < target { wanted = target - 1 }
        wanted = min(settings.maxReplicas, max(settings.minReplicas, wanted))
        return wanted == 0 && target > 1 ? 1 : wanted
    }

    /// Since when the direction holds, and how long it must.
    private mutating func mark(_ wanted: Int, at now: Duration) -> (Duration, Duration) {
        if wanted > target {
            lowerSince = nil
            let since = higherSince ?? now
            higherSince = since
            return (since, settings.upscaleDelay)
        }
        higherSince = nil
        let since = lowerSince ?? now
        lowerSince = since
        let toZero = settings.downscaleToZeroDelay ?? settings.downscaleDelay
        return (since, wanted == 0 ? toZero : settings.downscaleDelay)
    }

    private mutating func decide(_ to: Int, at now: Duration, because reason: String) -> Decision {
        let decision = Decision(at: now, from: target, to: to, reason: reason)
        decisions.append(decision)
        if decisions.count > Self.decisionsMax { decisions.removeFirst() }
        target = to
        (higherSince, lowerSince) = (nil, nil)
        return decision
    }

    private static func text(_ number: Double) -> String {
        let tenths = (number * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }

    private static func text(_ time: Duration) -> String { text(time / .seconds(1)) + " s" }
}
