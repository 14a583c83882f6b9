import Jobs

/// Someone who submits one job through the head, repeats that until it is acknowledged, and waits
/// for the end.
final class SimulatedClient {
    /// What a call of the job's program was answered with, by whichever driver heard it last.
    struct Memory {
        let result: [UInt8]
        let driver: Int64
        /// That driver's.
        let lossCount: Int
    }

    let job: HistoryPlan.Job
    var isAcknowledged = false
    var isFinished = false
    var submissions = 0
    var retriesLeft: Int
    var memory: [Int: Memory] = [:]

    init(job: HistoryPlan.Job) {
        self.job = job
        retriesLeft = job.retriesMax
    }
}

extension History {
    func clientActs(_ index: Int) {
        let client = clients[index]
        guard !client.isFinished else { return }
        guard let epoch = livingHead() else {
            return add(.client(index), after: dice.number(in: 100...800))
        }
        if client.isAcknowledged {
            ask(.job(client.job.spec.id), .watch, index, epoch)
            if dice.happens(perMille: 125) { ask(.workers, .look, index, epoch) }
            if dice.happens(perMille: 125) {
                ask(.deadTasks(of: client.job.spec.id), .look, index, epoch)
            }
            if isStormy, client.job.isMeddledWith, dice.happens(perMille: 300) {
                // The first call that every program makes.
                let id = client.job.spec.id
                let task = client.job.stages[0][0].id(of: id, occurrence: 0)
                let isCancel = dice.happens(perMille: 500)
                ask(
                    isCancel ? .cancelTask(task, by: "a user") : .retryTask(task), .look, index,
                    epoch)
            }
        } else {
            if client.submissions > 0 { store.count(.submittedAgain) }
            client.submissions += 1
            ask(.submit(client.job.spec), .submit, index, epoch)
        }
    }

    /// Whoever saw the end of a job looks again when the store has forgotten something.
    func clientsLookAgain() {
        for index in clients.indices where clients[index].isFinished {
            clients[index].isFinished = false
            add(.client(index), after: dice.number(in: 100...900))
        }
    }

    func userStops(_ index: Int) {
        let client = clients[index]
        guard !client.isFinished else { return }
        guard client.isAcknowledged, let epoch = livingHead() else {
            return add(.userStops(index), after: dice.number(in: 100...800))
        }
        ask(.stop(client.job.spec.id, by: "a user"), .stop, index, epoch)
    }

    private func ask(
        _ call: StoreCall, _ request: ClientRequest, _ index: Int, _ epoch: HeadEpoch
    ) {
        send(call, from: .client(index, request, epoch))
    }

    func clientHeard(_ reply: StoreReply?, for request: ClientRequest, by index: Int) {
        switch (request, reply) {
        case (.submit, .job(let record?)?):
            clients[index].isAcknowledged = true
            note("\(record.spec.id) is acknowledged")
            add(.client(index), after: dice.number(in: 300...900))
        case (.watch, .job(let record?)?) where record.state.isTerminal:
            jobEnded(record, clients[index], index)
        case (.watch, .job(nil)?):
            // Only a store that forgot may say so, which the checker has made sure of.
            clients[index].isAcknowledged = false
            add(.client(index), after: dice.number(in: 1...100))
        case (.submit, .refused(.refused)?) where clients[index].job.spec.after != nil:
            // The one before it is not known yet, or was forgotten.
            add(.client(index), after: dice.number(in: 200...1_500))
        case (.submit, .refused(let error)?):
            expect(false, .memory, "\(clients[index].job.spec.id) is refused: \(error)")
        case (.retry, .job(let record?)?):
            if !record.state.isTerminal { clients[index].retriesLeft -= 1 }
            add(.client(index), after: dice.number(in: 100...900))
        case (.submit, _), (.watch, _), (.retry, _):
            add(.client(index), after: dice.number(in: 200...1_500))
        case (.stop, nil): add(.userStops(index), after: dice.number(in: 200...1_500))
        case (.stop, _), (.look, _): break
        }
    }

    /// A user who has patience left retries what did not succeed; it is refused while tasks of the
    /// job are still being ended.
    private func jobEnded(_ record: JobRecord, _ client: SimulatedClient, _ index: Int) {
        if case .succeeded = record.state { client.retriesLeft = 0 }
        guard client.retriesLeft > 0 else {
            client.isFinished = true
            return note("\(record.spec.id) is over: \(record.state)")
        }
        guard let epoch = livingHead() else {
            return add(.client(index), after: dice.number(in: 100...800))
        }
        ask(.retryJob(record.spec.id), .retry, index, epoch)
    }

    /// Holds a driver's answer against what the job's other calls and its earlier drivers heard.
    func remember(_ result: [UInt8], for call: Int, by driver: SimulatedDriver) {
        let grant = driver.grant
        guard let index = clients.firstIndex(where: { $0.job.spec.id == grant.job.id }) else {
            return
        }
        let memory = clients[index].memory
        let others = memory.filter { $0.key != call && $0.value.result == result }
        if let other = others.keys.min() {
            expect(
                false, .memo, "calls \(other) and \(call) of \(grant.job.id) share one result")
        }
        if let old = memory[call], old.lossCount == lossCount, driver.lossCount == lossCount {
            expect(
                old.result == result, .memo,
                "call \(call) of \(grant.job.id) was answered otherwise before")
            if old.driver != grant.lease.token { store.count(.memoised) }
        }
        clients[index].memory[call] = SimulatedClient.Memory(
            result: result, driver: grant.lease.token, lossCount: driver.lossCount)
    }
}
