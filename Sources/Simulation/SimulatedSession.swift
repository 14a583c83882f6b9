import JobChannel
import Jobs

/// The worker's end of a driver's channel, by the rules of `DriverSession`: tasks go to the store,
/// a store that is away is asked again, a lost lease ends the driver. How answers come back stands
/// in `SimulatedSession+Answers.swift`.
extension History {
    func sessionHears(_ message: ChannelMessage, _ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        switch message.header {
        case .enqueue(let request, let task):
            guard !driver.hasExited else { return }
            let new = newTask(task, of: driver, input: message.payload)
            send((request, new), token, key)
        case .result: workers[key.slot].drivers[token]?.result = message.payload
        default: break
        }
    }

    private func newTask(
        _ request: TaskRequest, of driver: SimulatedDriver, input: [UInt8]
    ) -> NewTask {
        let job = driver.grant.job.id
        let terms = driver.terms[request.name] ?? HistoryPlan.TaskTerms()
        let call = HistoryPlan.Call(name: request.name, input: input.first ?? 0)
        let occurrence = bug == .noOccurrence ? 0 : request.occurrence
        let id = call.id(of: job, occurrence: occurrence)
        return NewTask(
            id: id, job: job, kind: .task, name: request.name, input: .inline(input),
            resources: Resources(
                milliCPUs: request.milliCPUs,
                custom: terms.licences == 0 ? [:] : [HistoryPlan.licence: terms.licences]),
            labels: ["toolchain"], priority: terms.priority, retry: terms.retry,
            deadlines: terms.deadlines)
    }

    func sessionSends(_ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        guard !driver.unsent.isEmpty else {
            workers[key.slot].drivers[token]?.isSending = false
            return
        }
        guard driver.position != nil else {
            return send(
                .ended(driver.grant.job.id, from: nil, limit: 0),
                from: .worker(key, .place(token: token)))
        }
        let batch = driver.unsent.prefix(SimulatedDriver.batchMax).map(\.task)
        send(
            .enqueue(batch, under: driver.grant.lease),
            from: .worker(key, .enqueue(token: token, count: batch.count)))
    }

    /// Where the list of ends is to be read from.
    func sessionPlaced(_ reply: StoreReply?, _ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        guard case .ended(let ends)? = reply else { return sendLater(driver, token, key) }
        driver.position = ends.next
        sessionSends(token, key)
    }

    private func sendLater(_ driver: SimulatedDriver, _ token: Int64, _ key: WorkerKey) {
        let pause = dice.number(in: driver.pause / 2...driver.pause)
        driver.pause = min(2_000, driver.pause * 2)
        add(.worker(key, .sessionSends(token: token)), after: pause)
    }

    func sessionSent(_ reply: StoreReply?, _ token: Int64, _ count: Int, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        let batch = driver.unsent.prefix(count)
        switch reply {
        case nil, .refused(.unavailable)?: return sendLater(driver, token, key)
        case .tasks(let records)?:
            for (entry, record) in zip(batch, records) {
                if let record { keep(entry, for: record, token, key) }
            }
            for end in driver.early { answer(end, driver, token, key) }
            driver.early = []
        case .refused(.leaseLost)?:
            workers[key.slot].drivers[token]?.unsent = []
            endDriver(token, .leaseLost, key)
        default:
            for entry in batch {
                say(
                    ChannelMessage(.refused(request: entry.request, reason: "the job is over")),
                    token, key, isForDriver: true)
            }
        }
        workers[key.slot].drivers[token]?.pause = 50
        let left = workers[key.slot].drivers[token]?.unsent.dropFirst(count) ?? []
        workers[key.slot].drivers[token]?.unsent = Array(left)
        sessionSends(token, key)
    }

    /// Answers a task that is done already, and remembers who waits for any other.
    private func keep(
        _ entry: (request: UInt64, task: NewTask), for record: TaskRecord, _ token: Int64,
        _ key: WorkerKey
    ) {
        if record.state.isTerminal {
            return answer(entry.request, with: record.state, token, key)
        }
        workers[key.slot].drivers[token]?
            .awaited[record.spec.id, default: (entry.task, [])].requests.append(entry.request)
    }

    func send(
        _ entry: (request: UInt64, task: NewTask), _ token: Int64, _ key: WorkerKey
    ) {
        workers[key.slot].drivers[token]?.unsent.append(entry)
        guard workers[key.slot].drivers[token]?.isSending == false else { return }
        workers[key.slot].drivers[token]?.isSending = true
        sessionSends(token, key)
    }
}
