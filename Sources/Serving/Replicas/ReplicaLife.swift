/// The life of one replica, from its start to its end: a value that says what is to be done.
struct ReplicaLife: Sendable, Equatable {
    /// How far it is.
    enum State: Equatable, Sendable {
        /// The process is there or comes; it has no model yet.
        case starting
        /// Answers requests.
        case ready
        /// Finishes what it has, then goes.
        case draining
        /// Gone, and why.
        case dead(cause: String)
    }

    /// What happens to a replica.
    enum Event: Sendable {
        /// It has the model that is served.
        case loaded
        /// The served model changed while it was loading another one.
        case outdated
        /// It answered a question for its health.
        case answered
        /// It is one too many.
        case drain
        /// Its process ended or its connection did.
        case lost(cause: String)
    }

    /// What its keeper does about it now.
    enum Deed: Equatable, Sendable {
        case nothing
        /// Ask whether it is well.
        case ask
        /// End it at once; `cause` is for people.
        case kill(cause: String)
    }

    private(set) var state = State.starting
    let rules: HealthRules
    /// When it entered its state.
    private var since: Duration
    private var askedAt: Duration?
    private var lastContact: Duration
    private(set) var failuresInRow = 0

    init(startingAt now: Duration, rules: HealthRules) {
        self.rules = rules
        since = now
        lastContact = now
    }

    /// A dead replica stays dead, and one that drains does not come back.
    mutating func apply(_ event: Event, at now: Duration) {
        switch (state, event) {
        case (.dead, _): return
        case (_, .lost(let cause)): enter(.dead(cause: cause), at: now)
        case (.starting, .loaded): enter(.ready, at: now)
        case (.ready, .outdated): enter(.starting, at: now)
        case (.starting, .drain), (.ready, .drain): enter(.draining, at: now)
        case (_, .answered):
            askedAt = nil
            failuresInRow = 0
            lastContact = now
        default: return
        }
    }

    private mutating func enter(_ next: State, at now: Duration) {
        state = next
        since = now
    }

    /// Looks at the clock; called from time to time.
    mutating func tick(at now: Duration) -> Deed {
        switch state {
        case .dead: return .nothing
        case .starting:
            guard now - since >= rules.startTime else { return .nothing }
            return .kill(cause: "not ready within \(rules.startTime)")
        case .draining:
            guard now - since >= rules.drainTime else { return .nothing }
            return .kill(cause: "still busy \(rules.drainTime) after it was asked to go")
        case .ready: return checkHealth(at: now)
        }
    }

    private mutating func checkHealth(at now: Duration) -> Deed {
        if let asked = askedAt {
            guard now - asked >= rules.timeout else { return .nothing }
            failuresInRow += 1
            askedAt = nil
            lastContact = now - rules.period
            guard failuresInRow < rules.failuresMax else {
                return .kill(cause: "\(failuresInRow) health checks in a row unanswered")
            }
        }
        guard now - lastContact >= rules.period else { return .nothing }
        askedAt = now
        lastContact = now
        return .ask
    }
}

/// How long to wait before a lost replica is replaced: not at all the first time, then twice as
/// long each time while replicas die young.
struct ReplacementPace: Sendable, Equatable {
    private(set) var failuresInRow = 0

    /// Who lived this long did not die of its start.
    static let youth = Duration.seconds(10)
    static let first = Duration.milliseconds(100)
    static let longest = Duration.seconds(10)

    /// A replica died at this age; answers the wait before the next one starts.
    mutating func delay(afterLifeOf age: Duration) -> Duration {
        failuresInRow = age >= Self.youth ? 1 : failuresInRow + 1
        guard failuresInRow > 1 else { return .zero }
        let doublings = min(failuresInRow - 2, 10)  // enough to pass the longest
        return min(Self.longest, Self.first * (1 << doublings))
    }
}
