import Jobs

/// What one seed stands for: a small cluster, its jobs, and everything that will go wrong.
///
/// Each history has only some kinds of faults, and those often ("swarm testing", Groce et al.
/// 2012): faults that hide each other then also occur alone. `HistoryPlan+Jobs.swift` draws what
/// there is to do.
struct HistoryPlan: Sendable {
    /// How the network and the executors behave until `faultsEnd`, in thousandths.
    struct Weather: Sendable {
        var requestsLost = 0
        var repliesLost = 0
        var requestsDoubled = 0
        /// The longest time a message is under way, milliseconds.
        var delayMax: Int64 = 8
        var attemptsCrash = 0
        var attemptsThrow = 0
    }

    enum Fault: Sendable, Hashable {
        case killWorker(Int)
        case pauseWorker(Int, forTime: Int64)
        case cutWorker(Int, forTime: Int64)
        /// SIGTERM: it hands back what it runs.
        case retireWorker(Int)
        /// Its clock drifts: its timers take this many hundredths of their time.
        case paceWorker(Int, percent: Int64)
        /// Its wall clock jumps; nothing may follow from that.
        case setClock(Int, aheadBy: Int64)
        case killDriver(Int)
        case freezeStore(forTime: Int64)
        case stopStore(forTime: Int64)
        /// A crash or fail-over that forgets what was acknowledged in the last milliseconds.
        case crashStore(forgetting: Int64, forTime: Int64)
        case killHead(Int, forTime: Int64)
    }

    let workerCount: Int
    let jobs: [Job]
    let schedule: ScheduledJob?
    let weather: Weather
    let faults: [(at: Int64, fault: Fault)]
    /// From here on nothing fails any more, and everything acknowledged must come to its end.
    let faultsEnd: Int64
    /// Whether the store may forget the last second of acknowledged writes (AOF `everysec`,
    /// fail-over) or keeps every one (AOF `always`).
    let isForgetful: Bool

    /// Where the clocks of all histories begin, milliseconds: four seconds before a full minute, so
    /// that what is scheduled for it comes while things fail.
    static let start: Int64 = 1_016_000
    static let headCount = 2

    init(dice: inout Dice) {
        let length = dice.number(in: 2_000...12_000)
        let end = HistoryPlan.start + length
        faultsEnd = end
        let workers = 2 + dice.index(below: 3)
        workerCount = workers
        weather = HistoryPlan.weather(&dice)
        isForgetful = dice.happens(perMille: 250)
        jobs = HistoryPlan.jobs(until: end, &dice)
        schedule = dice.happens(perMille: 200) ? HistoryPlan.scheduledJob(&dice) : nil
        var kinds = (0..<10).filter { _ in dice.happens(perMille: 350) }
        if isForgetful { kinds.append(10) }
        var faults: [(at: Int64, fault: Fault)] = []
        if !kinds.isEmpty {
            for _ in 0..<(1 + dice.index(below: 6)) {
                let kind = kinds[dice.index(below: kinds.count)]
                let at = dice.number(in: HistoryPlan.start...end)
                faults.append(
                    (at, HistoryPlan.fault(kind, worker: dice.index(below: workers), &dice)))
            }
        }
        self.faults = faults
    }

    private static func weather(_ dice: inout Dice) -> Weather {
        var weather = Weather()
        if dice.happens(perMille: 400) { weather.requestsLost = 1 + dice.index(below: 150) }
        if dice.happens(perMille: 400) { weather.repliesLost = 1 + dice.index(below: 150) }
        if dice.happens(perMille: 400) { weather.requestsDoubled = 1 + dice.index(below: 150) }
        if dice.happens(perMille: 400) { weather.delayMax = dice.number(in: 8...3_000) }
        if dice.happens(perMille: 300) { weather.attemptsCrash = 1 + dice.index(below: 200) }
        if dice.happens(perMille: 200) { weather.attemptsThrow = 1 + dice.index(below: 60) }
        return weather
    }

    private static func fault(_ kind: Int, worker: Int, _ dice: inout Dice) -> Fault {
        let time = dice.tail(100, 10_000)
        return switch kind {
        case 0: .killWorker(worker)
        case 1: .pauseWorker(worker, forTime: time)
        case 2: .cutWorker(worker, forTime: time)
        case 3: .retireWorker(worker)
        case 4: .paceWorker(worker, percent: dice.number(in: 5...400))
        case 5: .killDriver(worker)
        case 6: .freezeStore(forTime: time)
        case 7: .stopStore(forTime: time)
        case 8: .killHead(worker % headCount, forTime: min(time, 3_000))
        case 9: .setClock(worker, aheadBy: dice.number(in: -3_600_000...3_600_000))
        default: .crashStore(forgetting: dice.number(in: 0...1_000), forTime: min(time, 2_000))
        }
    }
}

/// The machines: the first one alone serves the second pool, the second one alone has licences.
extension HistoryPlan {
    static let otherPool = "other"
    static let licence = "licence"

    static func pools(ofSlot slot: Int) -> Set<String> {
        slot == 0 ? [Pool.defaultName, otherPool] : [Pool.defaultName]
    }

    static func resources(ofSlot slot: Int) -> Resources {
        Resources(milliCPUs: 2_000, custom: slot == 1 ? [licence: 1_000] : [:])
    }
}
