import JobChannel
import Jobs

/// The worker's end of one driver's channel: enqueues the driver's tasks and brings their answers.
actor DriverSession {
    /// Tasks sent to the store, and asked about, at once.
    static let batchMax = 256
    /// Tasks, and bytes of their inputs, that wait for the store; with more the driver is not read.
    static let unsentMax = 4_096
    static let unsentMaxInBytes = 32 << 20
    /// How often answers are looked for without a signal.
    static let pollInterval = Duration.seconds(1)
    /// How long a store that is full is asked again before the driver is told.
    static let fullPatience = Duration.seconds(10)

    private typealias Unsent = (request: UInt64, task: NewTask)

    private let connection: ChannelConnection
    private let store: any JobStore
    private let lease: Lease
    private let job: JobID
    /// Where the job's tasks run, and how urgent they are where they do not say.
    private let pool: String
    private let priority: Int
    private let desk: BlobDesk
    private let fullPatience: Duration
    private let onLeaseLost: @Sendable () async -> Void
    private var unsent: [Unsent] = []
    private var unsentBytes = 0
    private var isSending = false
    private var isOver = false
    /// The reader of the channel, while too much is unsent.
    private var reader: CheckedContinuation<Void, Never>?
    /// Who waits for which task, both ways.
    private var awaited: [TaskID: (task: NewTask, requests: [UInt64])] = [:]
    private var taskOfRequest: [UInt64: TaskID] = [:]
    /// Where the store's list of ended tasks was read to; nil before the first task.
    private var position: Int?
    /// Ends that were read before the store had answered which tasks it took.
    private var early: [TaskID: EndedTasks.End] = [:]
    /// Requests that were given up on their way to the store.
    private var abandoned: Set<UInt64> = []
    private var actors = ActorLedger()
    private var isLooking = false
    private var looksAgain = false
    /// Whether an answer came since the last poll.
    private var hasProgress = false
    private(set) var result: [UInt8]?

    init(
        connection: ChannelConnection, store: any JobStore, lease: Lease, job: JobID,
        pool: String = Pool.defaultName, priority: Int = 0, desk: BlobDesk,
        fullPatience: Duration = DriverSession.fullPatience,
        onLeaseLost: @escaping @Sendable () async -> Void
    ) {
        self.connection = connection
        self.store = store
        self.lease = lease
        self.job = job
        self.pool = pool
        self.priority = priority
        self.desk = desk
        self.fullPatience = fullPatience
        self.onLeaseLost = onLeaseLost
    }

    /// Serves the driver until its channel ends.
    func run() async {
        let polling = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: DriverSession.pollInterval)
                await poll()
            }
        }
        defer { polling.cancel() }
        do {
            for try await message in connection.messages { await handle(message) }
        } catch {
            connection.close()
        }
        end()
    }

    /// The driver's process or its lease is gone: nothing more is sent for it. What it said before
    /// is still read.
    func end() {
        isOver = true
        dropUnsent(unsent.count)
        abandoned = []
        goOnReading()
    }

    /// Called when the store signals that a task of this job ended.
    func lookForAnswers() async {
        looksAgain = true
        guard !isLooking else { return }
        isLooking = true
        defer { isLooking = false }
        while looksAgain {
            looksAgain = false
            await lookOnce()
        }
    }

    /// Reads what ended since it last read.
    private func lookOnce() async {
        while let start = position, !(awaited.isEmpty && unsent.isEmpty) {
            // A store that is away is asked again at the next poll.
            guard
                let ends = try? await store.ended(
                    of: job, from: start, limit: DriverSession.batchMax)
            else { return }
            position = ends.next
            hear(ends.tasks)
            if ends.next == start { return }
        }
    }

    /// Tasks that the store says have ended, whoever brings the word.
    func hear(_ ends: [EndedTasks.End]) {
        for end in ends {
            if awaited[end.id] != nil {
                answer(end)
            } else if isSending {
                early[end.id] = end
            }
        }
    }

    /// What hints may have missed: a store that lost its last second knows nothing of some ends,
    /// or of some tasks.
    private func poll() async {
        await lookForAnswers()
        defer { hasProgress = false }
        guard !hasProgress, !awaited.isEmpty else { return }
        let ids = Array(awaited.keys)
        for start in stride(from: 0, to: ids.count, by: DriverSession.batchMax) {
            let batch = Array(ids[start..<min(start + DriverSession.batchMax, ids.count)])
            guard let records = try? await store.tasks(batch) else { return }
            for (id, record) in zip(batch, records) { answer(id, record) }
        }
    }

    private func answer(_ end: EndedTasks.End) {
        switch end {
        case .other(let record): answer(record.spec.id, record)
        case .succeeded(let id, let payload):
            guard let found = taken(id) else { return }
            answer(found.requests, of: found.task, with: .succeeded(payload), history: [])
        }
    }

    /// Answers whoever waits for a task that is over, and asks again for one that is forgotten.
    private func answer(_ id: TaskID, _ record: TaskRecord?) {
        guard record?.state.isTerminal ?? true, let found = taken(id) else { return }
        if let record {
            return answer(
                found.requests, of: found.task, with: record.state, history: record.history)
        }
        for request in found.requests { send((request, found.task)) }
    }

    private func taken(_ id: TaskID) -> (task: NewTask, requests: [UInt64])? {
        guard let found = awaited.removeValue(forKey: id) else { return nil }
        hasProgress = true
        for request in found.requests { taskOfRequest[request] = nil }
        return found
    }

    // MARK: The driver's messages

    private func handle(_ message: ChannelMessage) async {
        switch message.header {
        case .enqueue(let request, let task):
            let milliCPUs = await milliCPUs(for: task)
            let new = task.newTask(
                of: job, priority: priority, milliCPUs: milliCPUs, input: message.payload)
            if let reason = actors.refusal(of: new) {
                send(.refused(request: request, reason: reason))
                return noteEnd(of: new, because: reason)
            }
            await enqueue((request, new))
        case .abandon(let request):
            abandon(request)
        case .blobOffered, .blobWanted:
            await desk.serve(message.header, on: connection)
        case .result:
            result = message.payload
        default:
            break
        }
    }

    private func enqueue(_ entry: Unsent) async {
        guard !isOver else { return }
        send(entry)
        let isFull =
            unsent.count >= DriverSession.unsentMax || unsentBytes >= DriverSession.unsentMaxInBytes
        if isFull { await withCheckedContinuation { reader = $0 } }
    }

    private func send(_ entry: Unsent) {
        guard !isOver else { return }
        unsent.append(entry)
        unsentBytes += entry.task.input.inlineCount
        guard !isSending else { return }
        isSending = true
        Task { await sendAll() }
    }

    private func goOnReading() {
        reader?.resume()
        reader = nil
    }

    private func abandon(_ request: UInt64) {
        guard let task = taskOfRequest.removeValue(forKey: request) else {
            if unsent.contains(where: { $0.request == request }) { abandoned.insert(request) }
            return
        }
        awaited[task]?.requests.removeAll { $0 == request }
        guard let found = awaited[task], found.requests.isEmpty else { return }
        awaited[task] = nil
        noteEnd(of: found.task, because: "it was stopped")
        // For nobody's sake a task need not run. If the store is away it runs on, which harms
        // nothing.
        Task { [store, lease] in try? await store.cancel([task], by: "the driver", under: lease) }
    }

    /// What a task is given: what it asks for, or the whole CPUs that the emptiest worker has free
    /// where it can use more. A store that is away knows of none.
    private func milliCPUs(for request: TaskRequest) async -> Int {
        let least = max(0, request.milliCPUs)
        guard let most = request.milliCPUsMax, most > least else { return least }
        let able = ((try? await store.workers()) ?? []).filter {
            $0.labels.contains(JobSDK.label) && $0.poolNames.contains(pool)
        }
        let free = able.map(\.free.milliCPUs).max() ?? 0
        return max(least, min(most, free / 1_000 * 1_000))
    }

    /// Sends what has gathered, a batch at a time, until nothing is left.
    private func sendAll() async {
        defer { isSending = false }
        var pause = Duration.milliseconds(50)
        var fullSince: ContinuousClock.Instant?
        var count = DriverSession.batchMax
        while !unsent.isEmpty {
            let batch = Array(unsent.prefix(count))
            do {
                if position == nil {
                    position = try await store.ended(of: job, from: nil, limit: 0).next
                }
                let records = try await store.enqueue(batch.map(\.task), under: lease)
                dropUnsent(batch.count)
                for (entry, record) in zip(batch, records) { keep(entry, for: record) }
                for end in early.values { answer(end) }
                early = [:]
                (pause, fullSince, count) = (.milliseconds(50), nil, DriverSession.batchMax)
            } catch JobStoreError.unavailable {
                // Nothing is lost: the driver waits as long as the store is away.
                await sleep(&pause)
            } catch JobStoreError.full(let bound) {
                // One by one, so that a task no store takes does not hold up those before it.
                let since = fullSince ?? .now
                fullSince = since
                if batch.count > 1 {
                    count = 1
                } else if ContinuousClock.now - since < fullPatience {
                    await sleep(&pause)
                } else {
                    refuse(batch, because: "the store is full: \(bound)")
                }
            } catch JobStoreError.leaseLost {
                end()
                return await onLeaseLost()
            } catch JobStoreError.jobOver {
                // The driver may use its grace for something else.
                refuse(batch, because: "the job is being stopped")
            } catch {
                refuse(batch, because: "\(error)")
            }
        }
    }

    private func sleep(_ pause: inout Duration) async {
        let length = pause
        pause = min(.seconds(2), pause * 2)
        try? await Task.sleep(for: length * Double.random(in: 0.5...1))
    }

    /// Answers a task that is done already, and remembers who waits for any other.
    private func keep(_ entry: Unsent, for record: TaskRecord) {
        let isAbandoned = abandoned.remove(entry.request) != nil
        if record.state.isTerminal {
            return answer(
                [entry.request], of: entry.task, with: record.state, history: record.history)
        }
        if case .call(let instance)? = ActorTask(entry.task),
            let cause = actors.waits(entry.task.id, for: instance)
        {
            giveUp([entry.task.id])
            return send(.completed(request: entry.request, .lost(message: cause)))
        }
        awaited[record.spec.id, default: (entry.task, [])].requests.append(entry.request)
        taskOfRequest[entry.request] = record.spec.id
        if isAbandoned { abandon(entry.request) }
    }

    private func refuse(_ batch: [Unsent], because reason: String) {
        dropUnsent(batch.count)
        for entry in batch {
            abandoned.remove(entry.request)
            send(.refused(request: entry.request, reason: reason))
            noteEnd(of: entry.task, because: reason)
        }
    }

    /// Forgets the first of what is unsent; `end` may have forgotten all of it meanwhile.
    private func dropUnsent(_ count: Int) {
        let dropped = unsent.prefix(count)
        unsentBytes -= dropped.reduce(0) { $0 + $1.task.input.inlineCount }
        unsent.removeFirst(dropped.count)
        goOnReading()
    }

    private func answer(
        _ requests: [UInt64], of task: NewTask, with state: TaskState, history: [AttemptRecord]
    ) {
        for request in requests { answer(request, with: state, history: history) }
        noteEnd(of: task, because: state.endOfActor)
    }

    private func answer(
        _ request: UInt64, with state: TaskState, history: [AttemptRecord]
    ) {
        switch state {
        case .succeeded(.inline(let bytes)):
            send(.completed(request: request, .succeeded(blob: nil)), payload: bytes)
        case .succeeded(.blob(let digest, _)):
            send(.completed(request: request, .succeeded(blob: digest)))
        case .failed(let failure) where failure.kind == .error:
            send(.completed(request: request, .failed(message: failure.message)))
        case .failed(let failure):
            let causes = history.map { "attempt \($0.number): \($0.cause)" }
            let text = ([failure.message] + causes).joined(separator: "\n  ")
            send(.completed(request: request, .lost(message: text)))
        case .cancelled:
            send(.completed(request: request, .cancelled))
        case .waiting, .running:
            break
        }
    }

    // MARK: Actors

    /// Tells those who wait for an actor that it is dead for good.
    private func noteEnd(of task: NewTask, because cause: String) {
        switch ActorTask(task) {
        case .call(let instance)?: actors.isOver(task.id, of: instance)
        case .life(let instance)?:
            let calls = actors.ends(instance, because: cause)
            for call in calls {
                for request in awaited.removeValue(forKey: call)?.requests ?? [] {
                    taskOfRequest[request] = nil
                    send(.completed(request: request, .lost(message: cause)))
                }
            }
            giveUp(calls)
        case nil: break
        }
    }

    /// Takes calls that nobody will answer out of the store.
    private func giveUp(_ calls: [TaskID]) {
        guard !calls.isEmpty else { return }
        Task { [store, lease] in try? await store.cancel(calls, by: "the driver", under: lease) }
    }

    private func send(_ header: ChannelMessage.Header, payload: [UInt8] = []) {
        // A closed channel means the driver has ended, which `DriverRun` sees by itself.
        try? connection.send(ChannelMessage(header, payload: payload))
    }
}
