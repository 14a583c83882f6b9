/// What becomes due by itself in the in-memory store, so that a sweep looks at nothing else.
struct Timetable: Sendable {
    /// When the leases of running tasks end.
    private var leases: [TaskID: Int64] = [:]
    /// When deadlines strike.
    private var deadlines: [TaskID: Int64] = [:]
    /// When waiting tasks may be granted that were put off; some of them may be past.
    private var delays: [TaskID: Int64] = [:]

    mutating func keep(_ task: TaskRecord, was old: TaskRecord?, at now: Int64) {
        let id = task.spec.id
        switch old?.state {
        case .running: leases[id] = nil
        case .waiting: delays[id] = nil
        default: break
        }
        switch task.state {
        case .running(let lease): leases[id] = lease.expiry
        case .waiting(let notBefore) where notBefore > now && !task.isHeld: delays[id] = notBefore
        default: break
        }
        if task.deadline != nil || old?.deadline != nil { deadlines[id] = task.deadline?.at }
    }

    mutating func forget(_ id: TaskID) {
        leases[id] = nil
        deadlines[id] = nil
        delays[id] = nil
    }

    func overdueLeases(at now: Int64, limit: Int) -> [TaskID] {
        Timetable.oldest(of: leases, upTo: now, limit)
    }

    func passedDeadlines(at now: Int64, limit: Int) -> [TaskID] {
        Timetable.oldest(of: deadlines, upTo: now, limit)
    }

    /// How long until the next task that was put off may be granted.
    func nextDue(after now: Int64) -> Int64? {
        var next: Int64?
        for at in delays.values where at > now { next = min(next ?? at, at) }
        return next.map { $0 - now }
    }

    /// In the order of Redis's sorted sets, so that both stores sweep alike.
    private static func oldest(
        of times: [TaskID: Int64], upTo now: Int64, _ limit: Int
    ) -> [TaskID] {
        var due: [(at: Int64, task: TaskID)] = []
        for (task, at) in times where at <= now { due.append((at, task)) }
        guard due.count > 1 else { return due.map(\.task) }
        due.sort { ($0.at, $0.task.rawValue) < ($1.at, $1.task.rawValue) }
        return due.prefix(limit).map(\.task)
    }
}
