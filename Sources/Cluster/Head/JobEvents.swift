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

    private let store: any JobStore
    private var watchers: [JobID: [ObjectIdentifier: Wakeup]] = [:]

    init(store: any JobStore) { self.store = store }

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

    /// Batches of events, each as soon as there is one; ends after `.end`.
    nonisolated func follow(
        _ job: JobID, after cursor: LogCursor?, follows: Bool
    ) -> AsyncThrowingStream<[JobEvent], any Error> {
        let follower = Follower(job: job, cursor: cursor, store: store)
        let wakeup = Wakeup()
        let isFirst = OnceFlag()
        return AsyncThrowingStream {
            if isFirst.take() { await self.add(wakeup, for: job) }
            if let batch = try await follower.next(wakeup, follows: follows) { return batch }
            await self.remove(wakeup, for: job)
            return nil
        }
    }

    private func add(_ wakeup: Wakeup, for job: JobID) {
        watchers[job, default: [:]][ObjectIdentifier(wakeup)] = wakeup
    }

    private func remove(_ wakeup: Wakeup, for job: JobID) {
        watchers[job]?[ObjectIdentifier(wakeup)] = nil
        if watchers[job]?.isEmpty == true { watchers[job] = nil }
    }

    /// Where one watcher stands.
    private actor Follower {
        private let job: JobID
        private let store: any JobStore
        private var cursor: LogCursor?
        private var phase: String?
        private var isOver = false
        private var lastSent = ContinuousClock.now

        init(job: JobID, cursor: LogCursor?, store: any JobStore) {
            self.job = job
            self.cursor = cursor
            self.store = store
        }

        func next(_ wakeup: Wakeup, follows: Bool) async throws -> [JobEvent]? {
            if isOver { return nil }
            while true {
                let batch = try await look(follows: follows)
                if !batch.isEmpty {
                    lastSent = .now
                    return batch
                }
                if ContinuousClock.now - lastSent > JobEvents.aliveInterval {
                    lastSent = .now
                    return [.alive]
                }
                try Task.checkCancellation()
                await wakeup.wait(atMost: JobEvents.pollInterval)
            }
        }

        /// The record is read before the log: a job seen as over has all its lines in the log already.
        private func look(follows: Bool) async throws -> [JobEvent] {
            guard let record = try await store.job(job) else {
                isOver = true
                return []
            }
            let details = JobDetails(record)
            var batch: [JobEvent] = []
            if details.manta.phase != phase {
                phase = details.manta.phase
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
}
