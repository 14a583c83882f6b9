internal import Synchronization

/// One run's spool at work: keeps what is said, and sends it in order while the server answers.
///
/// The run's own process holds one while it lives; whoever replays what it left, afterwards.
actor RunSpool {
    nonisolated let folder: String
    /// The run as the server has it, for who cannot wait.
    nonisolated let identity: Mutex<SpoolRun?>
    private let file: SpoolFile
    private let sender: SpoolSender
    private let budget: SpoolBudget
    private let health: ServerHealth
    /// Bytes of files that wait.
    private var fileBytes: Int64 = 0
    private var charged: Int64 = 0
    /// Metric values dropped and not written down yet.
    private var droppedCount = 0
    private var sending: Task<Void, Never>?
    private var lastWritten = SpoolBacklog()
    /// What the server refused since it was last asked for.
    private var refusal: MLflowError?
    private(set) var outage: MLflowError?

    /// Bytes of facts that may wait in one run: about 300,000 metric values.
    static let waitingBytesMax = 32 << 20

    init(
        _ file: sending SpoolFile, sender: SpoolSender, budget: SpoolBudget, health: ServerHealth
    ) {
        folder = file.folder
        identity = Mutex(file.state.run)
        self.file = file
        self.sender = sender
        self.budget = budget
        self.health = health
        fileBytes = LocalFiles.size(below: SpoolFile.files(in: folder))
    }

    deinit { budget.change(by: -charged) }

    nonisolated var run: SpoolRun? { identity.withLock { $0 } }
    /// False when its process was killed before it had said anything.
    var hasBegun: Bool { file.state.summary.nextNumber > 1 }
    var isEnded: Bool { file.state.isEnded }
    var isDrained: Bool { file.state.waiting.isEmpty }
    /// The server has everything, and knows that the run is over.
    var isDone: Bool { isDrained && isEnded }
    var trackingURI: String? { file.state.summary.trackingURI }
    var backlog: SpoolBacklog {
        var backlog = SpoolBacklog(file.state, outage: outage)
        backlog.droppedCount += droppedCount
        return backlog
    }
    /// The model that was stored for a fact; nil while it waits.
    func model(ofFact number: Int) -> LoggedModel? { file.state.summary.models[number] }

    /// The version that was made for a fact; nil while it waits.
    func version(ofFact number: Int) -> String? { file.state.summary.versions[number] }

    func takeRefusal() -> MLflowError? {
        defer { refusal = nil }
        return refusal
    }

    // MARK: Keeping

    /// Writes a fact down.
    ///
    /// Without room, metric values are dropped and counted, the oldest first.
    /// - Returns: its number; nil when all of it was dropped.
    /// - Throws: `spoolFull` when there is no room even so, `runEnded`.
    @discardableResult
    func add(_ fact: SpoolFact) throws(MLflowError) -> Int? {
        guard !file.state.isEnded else {
            throw MLflowError(
                .runEnded, operation: "log to the run", subject: run?.id ?? "pending",
                message: "the run was ended")
        }
        let number = file.state.summary.nextNumber
        let entry = SpoolEntry.fact(number: number, time: sender.client.now(), fact)
        let frame = try SpoolFrame.encode(entry)
        if !hasRoom(for: frame.count, fact) { try makeRoom() }
        guard hasRoom(for: frame.count, fact) else { return try addWithoutMetrics(fact) }
        if case .end = fact { try noteDropped() }
        try file.append(entry, as: frame)
        settle()
        if case .end = fact { file.synchronize() }
        return number
    }

    private func addWithoutMetrics(_ fact: SpoolFact) throws(MLflowError) -> Int? {
        guard case .batch(let batch) = fact, !batch.metrics.isEmpty else {
            throw MLflowError(
                .spoolFull, operation: "keep it until MLflow is back", subject: folder,
                message: "the spool holds \(budget.limit) bytes at most")
        }
        droppedCount += batch.metrics.count
        let rest = LogBatch(parameters: batch.parameters, tags: batch.tags)
        return rest.isEmpty ? nil : try add(.batch(rest))
    }

    private func hasRoom(for count: Int, _ fact: SpoolFact) -> Bool {
        var isEssential = true
        if case .batch(let batch) = fact, !batch.metrics.isEmpty { isEssential = false }
        return budget.hasRoom(for: Int64(count), isEssential: isEssential)
            && (isEssential || file.state.waitingBytes + count <= RunSpool.waitingBytesMax)
    }

    /// Whether so many bytes of files may be kept besides.
    func hasRoom(forFiles bytes: Int64) throws(MLflowError) -> Bool {
        guard bytes <= budget.limit else { return false }
        if !budget.hasRoom(for: bytes) { try makeRoom() }
        return budget.hasRoom(for: bytes)
    }

    /// Files were put into, or taken out of, the spool's folder.
    func filesChanged() {
        fileBytes = LocalFiles.size(below: SpoolFile.files(in: folder))
        settle()
    }

    private func makeRoom() throws(MLflowError) {
        try file.rewrite(thins: true)
        settle()
    }

    private func noteDropped() throws(MLflowError) {
        guard droppedCount > 0 else { return }
        try file.append(.dropped(metrics: droppedCount))
        droppedCount = 0
    }

    private func settle() {
        let now = Int64(file.size) + fileBytes
        budget.change(by: now - charged)
        charged = now
    }

    // MARK: Sending

    /// Sends all that waits now, and returns when the server has it or cannot be reached.
    func drain() async {
        while let sending { await sending.value }
        startSending()
        if let sending { await sending.value }
    }

    /// Begins to send, unless that goes on already.
    func startSending() {
        guard sending == nil, !isDrained else { return }
        // Not a child of the caller: a cancelled caller must not lose what others said.
        sending = Task {
            await sendAll()
            sending = nil
        }
    }

    private func sendAll() async {
        outage = nil
        do throws(MLflowError) {
            while case .send(let facts, let isUncertain) = file.state.next {
                try await send(facts, isUncertain: isUncertain)
                health.succeeded()
            }
            if file.hasGarbage || isEnded { try file.rewrite() }
        } catch {
            outage = error
            if error.isTransient { health.failed(error) }
        }
        filesChanged()
        tell()
    }

    private func send(
        _ waiting: [SpoolState.Waiting], isUncertain: Bool
    ) async throws(MLflowError) {
        guard let last = waiting.last else { return }
        var facts: [SpoolFact] = []
        for fact in waiting { facts.append(try file.fact(fact)) }
        if file.state.attempt == nil { try file.append(.sending(through: last.number)) }
        let sent: SpoolSender.Sent
        do throws(MLflowError) {
            sent = try await sender.send(
                facts, of: file.state.summary, isUncertain: isUncertain)
        } catch {
            guard case .never = SpoolVerdict(error), last.shape != .begin else {
                file.failed(isAmbiguous: error.isAmbiguous, wasUncertain: isUncertain)
                throw error
            }
            guard facts.count == 1 else { return file.sendApart(through: last.number) }
            sent = SpoolSender.Sent(refusals: [error])
        }
        for error in sent.refusals {
            try file.append(.refused(number: last.number, reason: error.description))
            refusal = error
        }
        try file.append(.done(through: last.number, sent.result))
        if case .run(let run) = sent.result { identity.withLock { $0 = run } }
        sender.discardFiles(of: facts)
    }

    // MARK: Telling

    /// Leaves what waits where it is for others to read.
    private func tell() {
        let now = backlog
        guard now != lastWritten else { return }
        lastWritten = now
        now.write(in: folder)
    }
}
