import Jobs

/// The heads, of which nobody knows which answers, and a person who keeps a schedule: the schedule
/// is put until its first job shows, and deleted when that is over.
struct ScheduleKeeper {
    let plan: HistoryPlan.ScheduledJob
    /// The job of the last fire, once there was one.
    var awaited: JobID?
    var isFinished = false
}

extension History {
    /// A head that answers now; nil while none does.
    func livingHead() -> HeadEpoch? {
        let first = dice.index(below: HistoryPlan.headCount)
        for offset in 0..<HistoryPlan.headCount {
            let head = (first + offset) % HistoryPlan.headCount
            if headDownUntil[head] <= now {
                return HeadEpoch(head: head, downUntil: headDownUntil[head])
            }
        }
        return nil
    }

    /// Whether that run of a head goes on; if not, answers that were on their way are gone with it.
    func isLiving(_ epoch: HeadEpoch) -> Bool { headDownUntil[epoch.head] == epoch.downUntil }

    /// Every head does so, whoever leads: a fire is one job however often it is noticed.
    func headFires(_ head: Int) {
        if headDownUntil[head] <= now { send(.fireSchedules, from: .head) }
        add(.headFires(head), after: dice.number(in: 700...1_300))
    }

    func keeperActs() {
        guard let keeper, !keeper.isFinished else { return }
        guard let epoch = livingHead() else {
            return add(.schedule, after: dice.number(in: 100...800))
        }
        let call = keeper.awaited.map { StoreCall.job($0) } ?? .put(keeper.plan.schedule)
        send(call, from: .schedule(epoch))
    }

    func keeperHeard(_ reply: StoreReply?) {
        switch reply {
        case .schedule(let record)?:
            if let fire = record.lastFire {
                keeper?.awaited = try? record.schedule.submission(at: fire).id
            }
        case .job(let record?)? where record.state.isTerminal:
            keeper?.isFinished = true
            guard let name = keeper?.plan.schedule.name else { return }
            return send(.deleteSchedule(name), from: .head)
        case .job(nil)?:
            // Only a store that forgot may say so, which the checker has made sure of.
            keeper?.awaited = nil
        default: break
        }
        add(.schedule, after: dice.number(in: 500...1_500))
    }

    func keeperLooksAgain() {
        guard keeper?.isFinished == true else { return }
        keeper?.isFinished = false
        keeper?.awaited = nil
        add(.schedule, after: dice.number(in: 100...900))
    }
}
