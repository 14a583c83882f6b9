import Testing

@testable import Serving

@Suite struct AutoscalerTests {
    private static func settings(
        _ change: (inout AutoscalingSettings) -> Void
    ) -> AutoscalingSettings {
        var settings = AutoscalingSettings()
        settings.maxReplicas = 10
        settings.metricsInterval = .seconds(1)
        settings.lookBackPeriod = .seconds(5)
        change(&settings)
        return settings
    }

    /// Steps each second under one load; the decisions of that time.
    private static func run(
        _ scaler: inout Autoscaler, load: Int, seconds: Range<Int>
    ) -> [Autoscaler.Decision] {
        seconds.compactMap { scaler.step(load: load, at: .seconds($0)) }
    }

    @Test("The target rises to load over target when that has held for the delay, and says why")
    func up() {
        var scaler = Autoscaler(Self.settings { _ in })
        let decisions = Self.run(&scaler, load: 12, seconds: 0..<60)
        #expect(decisions.count == 1)
        #expect(decisions.first?.at == .seconds(30) && decisions.first?.to == 6)
        #expect(
            decisions.first?.reason
                == "12 requests running and queued, mean of 5 s, make 6 replicas of 2 each; "
                + "so for 30 s")
        #expect(scaler.target == 6 && scaler.decisions == decisions)
    }

    @Test("A load that does not hold changes nothing")
    func flicker() {
        var scaler = Autoscaler(Self.settings { $0.lookBackPeriod = .milliseconds(500) })
        for second in 0..<600 {
            let load = second % 20 == 0 ? 0 : 40
            #expect(scaler.step(load: load, at: .seconds(second)) == nil)
        }
    }

    @Test("The target falls after its own delay, never below the least")
    func down() {
        var scaler = Autoscaler(
            Self.settings {
                $0.minReplicas = 2
                $0.initialReplicas = 8
                $0.downscaleDelay = .seconds(60)
            })
        #expect(scaler.target == 8)
        let decisions = Self.run(&scaler, load: 1, seconds: 0..<100)
        #expect(decisions.map(\.to) == [2] && decisions.first?.at == .seconds(60))
    }

    @Test("To none it goes by way of one, and up from there at once")
    func zero() {
        var scaler = Autoscaler(
            Self.settings {
                $0.minReplicas = 0
                $0.initialReplicas = 3
                $0.downscaleDelay = .seconds(10)
                $0.downscaleToZeroDelay = .seconds(50)
            })
        let decisions = Self.run(&scaler, load: 0, seconds: 0..<100)
        #expect(decisions.map(\.to) == [1, 0])
        #expect(decisions.map(\.at) == [.seconds(10), .seconds(61)])
        #expect(scaler.step(load: 0, at: .seconds(101)) == nil)
        let woken = scaler.step(load: 3, at: .milliseconds(101_001))
        #expect(woken?.to == 1 && woken?.reason == "3 requests and no replica")
    }

    @Test("Factors take a part of the way or more, and a small one does not hold replicas")
    func factors() {
        var slow = Autoscaler(
            Self.settings {
                $0.upscalingFactor = 0.5
                $0.upscaleDelay = .zero
            })
        #expect(slow.step(load: 18, at: .zero)?.to == 5)
        var fast = Autoscaler(
            Self.settings {
                $0.upscalingFactor = 2
                $0.upscaleDelay = .zero
            })
        #expect(fast.step(load: 6, at: .zero)?.to == 5)
        var stuck = Autoscaler(
            Self.settings {
                $0.initialReplicas = 3
                $0.downscalingFactor = 0.1
                $0.downscaleDelay = .zero
            })
        #expect(Self.run(&stuck, load: 1, seconds: 0..<9).map(\.to) == [2, 1])
    }

    @Test(
        "Samples are taken every interval and weighed as asked",
        arguments: [(AutoscalingSettings.Aggregation.mean, 3), (.max, 5), (.min, 1)])
    func aggregation(_ way: AutoscalingSettings.Aggregation, _ wanted: Int) {
        var scaler = Autoscaler(
            Self.settings {
                $0.aggregation = way
                $0.upscaleDelay = .seconds(4)
                $0.metricsInterval = .seconds(2)
            })
        // The hundreds stand between the samples; that of the start is too old at the end.
        for (second, load) in [0, 100, 10, 100, 2, 100, 6].enumerated() {
            _ = scaler.step(load: load, at: .seconds(second))
        }
        #expect(scaler.target == wanted)
    }

    @Test("A fixed number stays whatever comes")
    func fixed() {
        var scaler = Autoscaler(.fixed(3))
        #expect(Self.run(&scaler, load: 1_000, seconds: 0..<1_000).isEmpty)
        #expect(scaler.target == 3)
    }

    @Test("Under any load the target stays within its bounds and decisions are few")
    func property() {
        for seed in 0..<100 {
            var chance = SeededChance(UInt64(seed))
            var scaler = Autoscaler(
                Self.settings {
                    $0.minReplicas = Int.random(in: 0...2, using: &chance)
                    $0.maxReplicas = Int.random(in: 3...9, using: &chance)
                    $0.upscaleDelay = .seconds(3)
                    $0.downscaleDelay = .seconds(7)
                    $0.upscalingFactor = Double.random(in: 0.1...3, using: &chance)
                })
            var last: (at: Duration, target: Int) = (.seconds(-100), scaler.target)
            for second in 0..<500 {
                let load = Int.random(in: 0...30, using: &chance)
                guard let decision = scaler.step(load: load, at: .seconds(second)) else {
                    #expect(scaler.target == last.target)
                    continue
                }
                let bounds = scaler.settings.minReplicas...scaler.settings.maxReplicas
                #expect(bounds.contains(decision.to) && decision.from == last.target)
                #expect(decision.to != decision.from && !decision.reason.isEmpty)
                #expect(decision.from == 0 || decision.at - last.at >= .seconds(3))
                #expect(decision.to > 0 || decision.from == 1)
                last = (decision.at, decision.to)
            }
        }
    }

    /// One setting that is not possible.
    enum WrongSetting: CaseIterable {
        case minOverMax, noReplica, initialOverMax, negative, noTarget, targetNaN, factor, interval
        case delay, tooMany

        func apply(to settings: inout AutoscalingSettings) {
            switch self {
            case .minOverMax: settings.minReplicas = 3
            case .noReplica: settings.maxReplicas = 0
            case .initialOverMax: settings.initialReplicas = 5
            case .negative: settings.minReplicas = -1
            case .noTarget: settings.targetOngoingRequests = 0
            case .targetNaN: settings.targetOngoingRequests = .nan
            case .factor: settings.upscalingFactor = -1
            case .interval: settings.metricsInterval = .zero
            case .delay: settings.upscaleDelay = .seconds(-1)
            case .tooMany: settings.maxReplicas = 100_000
            }
        }
    }

    @Test("Settings that contradict each other are refused", arguments: WrongSetting.allCases)
    func refused(_ wrong: WrongSetting) throws {
        var settings = ReplicaSettings()
        _ = try settings.validated()
        wrong.apply(to: &settings.autoscaling)
        #expect(throws: GatewayError.self) { try settings.validated() }
    }
}
