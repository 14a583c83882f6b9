/// Tasks of one job and shape, which take turns in the slots that a worker uses for them.
struct WorkerQueue: Hashable, Sendable {
    let job: JobID
    /// As `TaskShape.text` writes it.
    let shape: String

    init(_ task: NewTask) {
        var shapes = ShapeTexts()
        self.init(task, &shapes)
    }

    init(_ task: NewTask, _ shapes: inout ShapeTexts) {
        job = task.job
        shape = shapes.text(of: task)
    }
}

/// What a worker was granted ahead, and how it knows that this pays: a task that takes less time
/// than a claim keeps its slot idle while the next one is asked for.
struct WorkerBacklog: Sendable {
    /// Tasks that take longer are asked for one by one.
    static let shortMicroseconds = 5_000.0
    /// What is taken ahead is done in about this time, by what such tasks took so far.
    static let aheadMicroseconds = 20_000.0
    /// Tasks ahead per slot.
    static let aheadMax = 32
    /// Before so many were measured nothing is known.
    static let measuredMin = 8

    private struct Queue: Sendable {
        var slots = 0
        var grants: [Grant] = []
        var measured = 0
        /// Of the last tasks, the newest counting most.
        var microseconds = 0.0

        var isIdle: Bool { slots == 0 && grants.isEmpty }
    }
    private var queues: [WorkerQueue: Queue] = [:]
    /// How many queues are remembered while nothing of theirs is here.
    private static let idleMax = 64

    /// What to ask for: enough to be busy for a moment beyond what is here already.
    var offers: [AheadOffer] {
        queues.compactMap { key, queue -> AheadOffer? in
            guard queue.slots > 0, queue.measured >= WorkerBacklog.measuredMin,
                queue.microseconds <= WorkerBacklog.shortMicroseconds
            else { return nil }
            let perSlot = min(
                Double(WorkerBacklog.aheadMax),
                WorkerBacklog.aheadMicroseconds / max(1, queue.microseconds))
            let missing = Int(perSlot) * queue.slots - queue.grants.count
            guard missing > 0 else { return nil }
            return AheadOffer(job: key.job, shape: key.shape, count: missing)
        }.sorted { ($0.job.rawValue, $0.shape) < ($1.job.rawValue, $1.shape) }
    }

    /// Tasks that wait here for their slots.
    var count: Int { queues.values.reduce(0) { $0 + $1.grants.count } }

    func usesSlots(_ key: WorkerQueue) -> Bool { (queues[key]?.slots ?? 0) > 0 }

    func first(of key: WorkerQueue) -> Grant? { queues[key]?.grants.first }

    func holds(_ token: Int64, in key: WorkerQueue) -> Bool {
        queues[key]?.grants.contains { $0.lease.token == token } ?? false
    }

    mutating func add(_ grant: Grant, to key: WorkerQueue) {
        queues[key, default: Queue()].grants.append(grant)
    }

    /// Answers whether it waited here.
    mutating func remove(_ token: Int64, from key: WorkerQueue) -> Bool {
        guard let index = queues[key]?.grants.firstIndex(where: { $0.lease.token == token }) else {
            return false
        }
        queues[key]?.grants.remove(at: index)
        return true
    }

    mutating func began(_ key: WorkerQueue) { queues[key, default: Queue()].slots += 1 }

    mutating func ended(_ key: WorkerQueue) {
        queues[key]?.slots -= 1
        guard queues.count > WorkerBacklog.idleMax else { return }
        queues = queues.filter { !$0.value.isIdle }
    }

    mutating func note(_ key: WorkerQueue, microseconds: Int64) {
        guard var queue = queues[key] else { return }
        // A bound, so that a first task that waited for a compiler is soon forgotten.
        let sample = min(Double(max(0, microseconds)), 4 * WorkerBacklog.shortMicroseconds)
        let weight = queue.measured == 0 ? 1 : 0.1
        queue.microseconds += (sample - queue.microseconds) * weight
        queue.measured += 1
        queues[key] = queue
    }
}
