import JobChannel
import Jobs

/// How the session learns what became of its tasks: it reads the list of ends from where it read
/// last, and asks for each task when a second brought nothing, since a store that forgot may know
/// nothing of some ends.
extension History {
    /// Every second.
    func sessionPolls(_ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited else { return }
        add(.worker(key, .sessionLooks(token: token)), after: paced(1_000, key))
        if driver.isLooking {
            driver.looksAgain = true
            sessionAsks(driver, token, key)
        } else {
            driver.asksAfterLooking = true
            sessionLooks(token, key)
        }
    }

    /// Also when the store signals that a task of this job ended.
    func sessionLooks(_ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited else { return }
        if driver.isLooking { driver.looksAgain = true } else { look(driver, token, key) }
    }

    private func look(_ driver: SimulatedDriver, _ token: Int64, _ key: WorkerKey) {
        driver.looksAgain = false
        guard let start = driver.position, !(driver.awaited.isEmpty && driver.unsent.isEmpty) else {
            return looked(driver, token, key)
        }
        driver.isLooking = true
        send(
            .ended(driver.grant.job.id, from: start, limit: SimulatedDriver.batchMax),
            from: .worker(key, .look(token: token, from: start)))
    }

    func sessionLooked(_ reply: StoreReply?, from start: Int, _ token: Int64, _ key: WorkerKey) {
        guard let driver = workers[key.slot].drivers[token] else { return }
        driver.isLooking = false
        guard !driver.hasExited else { return }
        // A store that is away is asked again at the next poll.
        guard case .ended(let ends)? = reply else { return looked(driver, token, key) }
        driver.position = ends.next
        for end in ends.tasks {
            if driver.awaited[end.id] != nil {
                answer(end, driver, token, key)
            } else if driver.isSending {
                driver.early.append(end)
            }
        }
        if ends.next == start { looked(driver, token, key) } else { look(driver, token, key) }
    }

    private func looked(_ driver: SimulatedDriver, _ token: Int64, _ key: WorkerKey) {
        if driver.looksAgain { return look(driver, token, key) }
        guard driver.asksAfterLooking else { return }
        driver.asksAfterLooking = false
        sessionAsks(driver, token, key)
    }

    /// What hints and the list of ends may have missed.
    private func sessionAsks(_ driver: SimulatedDriver, _ token: Int64, _ key: WorkerKey) {
        let hadProgress = driver.hasProgress
        driver.hasProgress = false
        guard !hadProgress, !driver.awaited.isEmpty, bug != .trustsTheList else { return }
        let ids = driver.awaited.keys.sorted { $0.rawValue < $1.rawValue }
        send(.tasks(ids), from: .worker(key, .ask(token: token, ids)))
    }

    func sessionAsked(
        _ reply: StoreReply?, _ ids: [TaskID], _ token: Int64, _ key: WorkerKey
    ) {
        guard let driver = workers[key.slot].drivers[token], !driver.hasExited,
            case .tasks(let records)? = reply
        else { return }
        for (id, record) in zip(ids, records) { answer(id, record, driver, token, key) }
    }

    // MARK: Answers

    func answer(
        _ end: EndedTasks.End, _ driver: SimulatedDriver, _ token: Int64, _ key: WorkerKey
    ) {
        switch end {
        case .other(let record): answer(record.spec.id, record, driver, token, key)
        case .succeeded(let id, let payload):
            for request in taken(id, driver)?.requests ?? [] {
                answer(request, with: .succeeded(payload), token, key)
            }
        }
    }

    /// Answers whoever waits for a task that is over, and asks again for one that is forgotten.
    private func answer(
        _ id: TaskID, _ record: TaskRecord?, _ driver: SimulatedDriver, _ token: Int64,
        _ key: WorkerKey
    ) {
        guard record?.state.isTerminal ?? true, record != nil || bug != .waitsForNobody,
            let found = taken(id, driver)
        else { return }
        for request in found.requests {
            if let record {
                answer(request, with: record.state, token, key)
            } else {
                send((request, found.task), token, key)
            }
        }
    }

    private func taken(
        _ id: TaskID, _ driver: SimulatedDriver
    ) -> (task: NewTask, requests: [UInt64])? {
        guard let found = driver.awaited.removeValue(forKey: id) else { return nil }
        driver.hasProgress = true
        return found
    }

    func answer(_ request: UInt64, with state: TaskState, _ token: Int64, _ key: WorkerKey) {
        let message: ChannelMessage
        switch state {
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
