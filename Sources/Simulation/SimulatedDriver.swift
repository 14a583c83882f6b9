import JobChannel
import Jobs

/// One attempt of a driver: its process, the channel, and the worker's end of it.
final class SimulatedDriver {
    enum Ending { case stop, leaseLost }

    let grant: Grant
    let stages: [[HistoryPlan.Call]]
    let terms: [String: HistoryPlan.TaskTerms]
    /// How often the store had forgotten when it began: what it hears may be from then.
    let lossCount: Int
    var ending: Ending?
    var isRunning = false
    var hasExited = false

    // The process.
    var stage = 0
    var firstCallOfStage = 0
    var nextRequest: UInt64 = 1
    /// Which call of the program a request is for.
    var callOfRequest: [UInt64: Int] = [:]
    var occurrences: [HistoryPlan.Call: Int] = [:]
    var answers: [Int: [UInt8]] = [:]

    // The channel: bytes in order, never lost while both ends live.
    var workerReader = FrameReader()
    var driverReader = FrameReader()
    var lastToWorker: Int64 = 0
    var lastToDriver: Int64 = 0

    // The worker's end: what `DriverSession` keeps.
    var unsent: [(request: UInt64, task: NewTask)] = []
    var isSending = false
    var pause: Int64 = 50
    var awaited: [TaskID: (task: NewTask, requests: [UInt64])] = [:]
    /// Where the list of ends was read to; nil before the first task.
    var position: Int?
    /// Ends that were read before the store had answered which tasks it took.
    var early: [EndedTasks.End] = []
    var isLooking = false
    var looksAgain = false
    var asksAfterLooking = false
    /// Whether an answer came since the last poll.
    var hasProgress = false
    /// Fewer than `DriverSession` sends at once, so that histories have several batches.
    static let batchMax = 8
    var result: [UInt8]?

    init(
        grant: Grant, stages: [[HistoryPlan.Call]], terms: [String: HistoryPlan.TaskTerms],
        lossCount: Int
    ) {
        self.grant = grant
        self.stages = stages
        self.terms = terms
        self.lossCount = lossCount
    }
}

/// The driver's process and its end of the channel: what `DriverRun` starts and watches.
extension History {
    func startDriver(_ grant: Grant, _ key: WorkerKey) {
        let token = grant.lease.token
        let job = plan.jobs.first { $0.spec.id == grant.job.id }
        let scheduled = plan.schedule.flatMap { $0.fired(grant.job.id) ? $0.stages : nil }
        workers[key.slot].drivers[token] = SimulatedDriver(
            grant: grant, stages: job?.stages ?? scheduled ?? [], terms: job?.terms ?? [:],
            lossCount: lossCount)
        report(.compiling(worker: workers[key.slot].life.id.rawValue), grant, key)
        add(.worker(key, .driverStarts(token: token)), after: dice.tail(20, 2_500))
    }

    private func report(_ phase: JobPhase, _ grant: Grant, _ key: WorkerKey) {
        send(
            .report(phase, of: grant.job.id, under: grant.lease), from: .worker(key, .report))
    }

    func driverStarts(_ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], driver.ending == nil else { return }
        workers[key.slot].drivers[token]?.isRunning = true
        report(.running(worker: workers[key.slot].life.id.rawValue), driver.grant, key)
        add(.worker(key, .sessionLooks(token: token)), after: paced(1_000, key))
        beginStage(token, key)
    }

    /// Ends a driver early: a stop gives it time, a lost lease does not.
    func endDriver(_ token: Int64, _ reason: SimulatedDriver.Ending, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited,
            driver.ending != .leaseLost, driver.ending != reason
        else { return }
        workers[key.slot].drivers[token]?.ending = reason
        let grace =
            reason == .stop && driver.isRunning ? dice.tail(5, 5_000) : dice.number(in: 1...20)
        let end = ProcessEnd.signal(reason == .stop ? 15 : 9)
        add(.worker(key, .driverExits(token: token, end)), after: grace)
    }

    func killDriver(_ slot: Int) {
        let running = workers[slot].drivers.filter { $0.value.isRunning && !$0.value.hasExited }
        guard let token = running.keys.min(), !workers[slot].isGone else { return }
        driverExits(token, .signal(9), workers[slot].key)
    }

    func driverExits(_ token: Int64, _ end: ProcessEnd, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited else { return }
        note("the driver of \(driver.grant.job.id) @\(token) ends: \(end)")
        workers[key.slot].drivers[token]?.hasExited = true
        workers[key.slot].drivers[token]?.unsent = []
        let outcome: AttemptOutcome? =
            switch (driver.ending, end) {
            case (.leaseLost?, _): nil
            case (.stop?, _): .cancelled(by: "stop")
            case (nil, .code(0)): .succeeded(.inline(driver.result ?? []))
            case (nil, .code(let code)):
                .crashed(message: "the driver ended", exitCode: code, signal: nil)
            case (nil, .signal(let number)):
                .crashed(message: "the driver ended", exitCode: nil, signal: number)
            }
        add(.worker(key, .attemptEnds(token: token, outcome)), after: dice.number(in: 1...30))
    }

    // MARK: The program

    private func beginStage(_ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        guard driver.stage < driver.stages.count else {
            let all = driver.answers.keys.sorted().flatMap { driver.answers[$0] ?? [] }
            say(ChannelMessage(.result, payload: all), token, key, isForDriver: false)
            return exit(.code(0), token, key)
        }
        for (offset, call) in driver.stages[driver.stage].enumerated() {
            guard let request = workers[key.slot].drivers[token]?.prepare(call, offset) else {
                return
            }
            say(
                ChannelMessage(
                    .enqueue(
                        request: request.number,
                        TaskRequest(name: call.name, occurrence: request.occurrence)),
                    payload: [call.input]), token, key, isForDriver: false)
        }
    }

    /// The process ends after all it said has been said.
    private func exit(_ end: ProcessEnd, _ token: Int64, _ key: WorkerKey) {
        let last = workers[key.slot].drivers[token]?.lastToWorker ?? now
        add(.worker(key, .driverExits(token: token, end)), after: max(0, last - now) + 1)
    }

    private func driverHears(_ message: ChannelMessage, _ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited else { return }
        guard case .completed(let request, .succeeded(nil)) = message.header else {
            return exit(.code(1), token, key)  // the script throws
        }
        guard let call = driver.callOfRequest[request], driver.answers[call] == nil else { return }
        workers[key.slot].drivers[token]?.answers[call] = message.payload
        remember(message.payload, for: call, by: driver)
        let stage = driver.stages[driver.stage]
        let known = workers[key.slot].drivers[token]?.answers.count ?? 0
        guard known == driver.firstCallOfStage + stage.count else { return }
        workers[key.slot].drivers[token]?.firstCallOfStage += stage.count
        workers[key.slot].drivers[token]?.stage += 1
        beginStage(token, key)
    }

    // MARK: Bytes

    /// Writes a message as a frame; a stream may cut it anywhere.
    func say(_ message: ChannelMessage, _ token: Int64, _ key: WorkerKey, isForDriver: Bool) {
        guard let bytes = try? Frame.encode(message) else {
            return expect(false, .memo, "a message does not fit in a frame")
        }
        let cut = dice.happens(perMille: 125) ? dice.index(below: bytes.count) : 0
        for part in [bytes.prefix(cut), bytes.dropFirst(cut)] where !part.isEmpty {
            carry(Array(part), token, key, isForDriver: isForDriver)
        }
    }

    private func carry(_ bytes: [UInt8], _ token: Int64, _ key: WorkerKey, isForDriver: Bool) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        let last = isForDriver ? driver.lastToDriver : driver.lastToWorker
        let arrival = max(last, now + dice.number(in: 0...2))
        if isForDriver {
            workers[key.slot].drivers[token]?.lastToDriver = arrival
        } else {
            workers[key.slot].drivers[token]?.lastToWorker = arrival
        }
        add(
            .worker(key, .arrives(token: token, bytes, isForDriver: isForDriver)),
            after: arrival - now)
    }

    func arrives(_ bytes: [UInt8], _ token: Int64, _ key: WorkerKey, isForDriver: Bool) {
        guard workers[key.slot].drivers[token] != nil else { return }
        do {
            if isForDriver {
                workers[key.slot].drivers[token]?.driverReader.append(bytes)
                while let next = try workers[key.slot].drivers[token]?.driverReader.next() {
                    driverHears(next, token, key)
                }
            } else {
                workers[key.slot].drivers[token]?.workerReader.append(bytes)
                while let next = try workers[key.slot].drivers[token]?.workerReader.next() {
                    sessionHears(next, token, key)
                }
            }
        } catch {
            expect(false, .memo, "the channel lost its place: \(error)")
        }
    }
}

extension SimulatedDriver {
    /// Numbers a call as `Cluster.prepare` does: equal calls by their order.
    fileprivate func prepare(
        _ call: HistoryPlan.Call, _ offset: Int
    ) -> (number: UInt64, occurrence: Int) {
        let number = nextRequest
        nextRequest += 1
        callOfRequest[number] = firstCallOfStage + offset
        let occurrence = occurrences[call, default: 0]
        occurrences[call] = occurrence + 1
        return (number, occurrence)
    }
}
