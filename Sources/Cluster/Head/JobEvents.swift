import Jobs

/// Follows jobs for those who watch: phases, log lines and the end, as they come.
///
/// One subscription to the store's signals serves all followers of this head.
actor JobEvents {
    /// Lines read, and sent, at once.
    static let pageSize = 500
    /// A follower looks by itself this often, in case a signal was lost.
    static let pollInterval = Duration.seconds(1)
    static let aliveInterval = Duration.seconds(10)
    /// What a job waits for may change with every claim; it is told again after so long.
    static let detailInterval = Duration.seconds(5)
    /// Followers of one head.
    static let followersMax = 1_000

    private let store: any JobStore
    private let pollInterval: Duration
    private var watchers: [JobID: [ObjectIdentifier: Wakeup]] = [:]

    init(store: any JobStore, pollInterval: Duration = JobEvents.pollInterval) {
        self.store = store
        self.pollInterval = pollInterval
    }

    var followerCount: Int { watchers.values.reduce(0) { $0 + $1.count } }

    /// Passes signals on until cancelled.
    func run() async {
        for await signal in store.signals() {
            switch signal {
            case .job(let id), .logs(let id):
                for wakeup in watchers[id, default: [:]].values { wakeup.wake() }
            case .anything:
                for wakeup in watchers.values.flatMap(\.values) { wakeup.wake() }
            case .work, .tasks, .builds: break
            }
        }
    }

    /// Passes batches of events to `send`, each as soon as there is one; the last one ends with
    /// `.end`.
    ///
    /// - Throws: what `send` throws when the follower has gone, and what the store throws.
    nonisolated func follow(
        _ job: JobID, after cursor: LogCursor?, follows: Bool,
        send: ([JobEvent]) async throws -> Void
    ) async throws {
        let wakeup = Wakeup()
        await add(wakeup, for: job)
        do {
            var follower = Follower(job: job, cursor: cursor, store: store, follows: follows)
            while let batch = try await follower.next(wakeup, poll: pollInterval) {
                try await send(batch)
            }
        } catch {
            await remove(wakeup, for: job)
            throw error
        }
        await remove(wakeup, for: job)
    }

    private func add(_ wakeup: Wakeup, for job: JobID) {
        watchers[job, default: [:]][ObjectIdentifier(wakeup)] = wakeup
    }

    private func remove(_ wakeup: Wakeup, for job: JobID) {
        watchers[job]?[ObjectIdentifier(wakeup)] = nil
        if watchers[job]?.isEmpty == true { watchers[job] = nil }
    }
}

/// Where one watcher of a job stands.
private struct Follower {
    private let job: JobID
    private let store: any JobStore
    private let follows: Bool
    private var cursor: LogCursor?
    private var phase: (word: String, detail: String, since: ContinuousClock.Instant)?
    private var isOver = false
    private var lastSent = ContinuousClock.now

    init(job: JobID, cursor: LogCursor?, store: any JobStore, follows: Bool) {
        self.job = job
        self.cursor = cursor
        self.store = store
        self.follows = follows
    }

    /// The next events; nil after the last, and when the job is no longer kept.
    mutating func next(_ wakeup: Wakeup, poll: Duration) async throws -> [JobEvent]? {
        while !isOver {
            let batch = try await look()
            if !batch.isEmpty {
                lastSent = .now
                return batch
            }
            if ContinuousClock.now - lastSent > JobEvents.aliveInterval {
                lastSent = .now
                return [.alive]
            }
            try Task.checkCancellation()
            if !isOver { await wakeup.wait(atMost: poll) }
        }
        return nil
    }

    private func isNews(_ state: JobDetails.More) -> Bool {
        guard let phase, phase.word == state.phase else { return true }
        return phase.detail != state.detail
            && ContinuousClock.now - phase.since >= JobEvents.detailInterval
    }

    /// The record is read before the log: a job seen as over has all its lines in the log already.
    private mutating func look() async throws -> [JobEvent] {
        guard let record = try await store.job(job) else {
            isOver = true
            return []
        }
        let details = try await JobDetails(record, in: store)
        var batch: [JobEvent] = []
        if isNews(details.manta) {
            phase = (details.manta.phase, details.manta.detail, .now)
            batch.append(.phase(details.manta.phase, detail: details.manta.detail))
        }
        let page = try await store.logs(of: job, after: cursor, limit: JobEvents.pageSize)
        if page.droppedCount > 0 { batch.append(.dropped(count: page.droppedCount)) }
        for (index, line) in page.lines.enumerated() {
            let isLast = index == page.lines.count - 1
            batch.append(.log(line, cursor: isLast ? page.next?.rawValue : nil))
        }
        cursor = page.next ?? cursor
        if page.lines.count < JobEvents.pageSize && (record.state.isTerminal || !follows) {
            batch.append(.end(details))
            isOver = true
        }
        return batch
    }
}
