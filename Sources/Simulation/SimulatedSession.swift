import JobChannel
import Jobs

/// The worker's end of a driver's channel, by the rules of `DriverSession`: tasks go to the store,
/// answers come back, a store that is away is asked again, a lost lease ends the driver. One rule
/// more: tasks that the store has forgotten are sent again.
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
        send(
            .enqueue(driver.unsent.map(\.task), under: driver.grant.lease),
            from: .worker(key, .enqueue(token: token, count: driver.unsent.count)))
    }

    func sessionSent(_ reply: StoreReply?, _ token: Int64, _ count: Int, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        let batch = driver.unsent.prefix(count)
        switch reply {
        case nil, .refused(.unavailable)?:
            let pause = dice.number(in: driver.pause / 2...driver.pause)
            driver.pause = min(2_000, driver.pause * 2)
            return add(.worker(key, .sessionSends(token: token)), after: pause)
        case .tasks(let records)?:
            for (entry, record) in zip(batch, records) {
                if let record { keep(entry, for: record, token, key) }
            }
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
        if record.state.isTerminal { return answer(entry.request, with: record, token, key) }
        workers[key.slot].drivers[token]?
            .awaited[record.spec.id, default: (entry.task, [])].requests.append(entry.request)
    }

    func sessionPolls(_ token: Int64, _ key: WorkerKey) {
        guard workers[key.slot].drivers[token]?.hasExited == false else { return }
        sessionLooks(token, key)
        add(.worker(key, .sessionLooks(token: token)), after: paced(1_000, key))
    }

    func sessionLooks(_ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited else { return }
        workers[key.slot].drivers[token]?.looksAgain = driver.isLooking
        guard !driver.isLooking, !driver.awaited.isEmpty else { return }
        workers[key.slot].drivers[token]?.isLooking = true
        let ids = driver.awaited.keys.sorted { $0.rawValue < $1.rawValue }
        send(.tasks(ids), from: .worker(key, .look(token: token, ids)))
    }

    func sessionLooked(
        _ reply: StoreReply?, _ ids: [TaskID], _ token: Int64, _ key: WorkerKey
    ) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        workers[key.slot].drivers[token]?.isLooking = false
        guard !driver.hasExited else { return }
        // A store that is away is asked again at the next poll.
        guard case .tasks(let records)? = reply else { return }
        for (id, record) in zip(ids, records) where record?.state.isTerminal ?? true {
            if record == nil, bug == .waitsForNobody { continue }
            let found = workers[key.slot].drivers[token]?.awaited.removeValue(forKey: id)
            for request in found?.requests ?? [] {
                if let record {
                    answer(request, with: record, token, key)
                } else if let task = found?.task {
                    // The store lost it with its last second.
                    send((request, task), token, key)
                }
            }
        }
        if driver.looksAgain { sessionLooks(token, key) }
    }

    private func send(
        _ entry: (request: UInt64, task: NewTask), _ token: Int64, _ key: WorkerKey
    ) {
        workers[key.slot].drivers[token]?.unsent.append(entry)
        guard workers[key.slot].drivers[token]?.isSending == false else { return }
        workers[key.slot].drivers[token]?.isSending = true
        sessionSends(token, key)
    }

    private func answer(
        _ request: UInt64, with record: TaskRecord, _ token: Int64, _ key: WorkerKey
    ) {
        let message: ChannelMessage
        switch record.state {
        case .succeeded(.inline(let bytes)):
            message = ChannelMessage(
                .completed(request: request, .succeeded(blob: nil)), payload: bytes)
        case .succeeded(.blob(let digest, _)):
            message = ChannelMessage(.completed(request: request, .succeeded(blob: digest)))
        case .failed(let failure):
            message = ChannelMessage(
                .completed(request: request, .lost(message: failure.message)))
        case .cancelled: message = ChannelMessage(.completed(request: request, .cancelled))
        case .waiting, .running: return
        }
        say(message, token, key, isForDriver: true)
    }
}
