/// What `InMemoryJobStore` keeps: plain values, changed by the pure lives only.
struct JobShelf: Sendable {
    struct Job: Sendable {
        var record: JobRecord
        /// Grows with every submission.
        let number: Int
        var tasks: [TaskID: TaskRecord] = [:]
        /// Ids in order of creation, the driver first.
        var order: [TaskID] = []
        /// Waiting tasks, the one to be granted first in front.
        var waiting: [QueueEntry] = []
        /// Running tasks and how long a heartbeat keeps each.
        var running: [TaskID: Int64] = [:]
        /// Tasks in the order of their ends, without those that waited when the job ended.
        var ends: [TaskID] = []
        var log = LogShelf()
        /// How many jobs wait for one another up to this one.
        var depth = 0

        init(record: JobRecord, number: Int, depth: Int) {
            self.record = record
            self.number = number
            self.depth = depth
        }

        mutating func keep(_ task: TaskRecord, was old: TaskRecord?) {
            tasks[task.spec.id] = task
            if task.spec.kind == .task { record = record.counting(task, was: old) }
            if case .running? = old?.state, !task.state.isRunning { running[task.spec.id] = nil }
        }
    }

    /// Where a waiting task stands in its job's queue.
    struct QueueEntry: Sendable, Comparable {
        let priority: Int
        let age: Int
        let task: TaskID

        static func < (left: QueueEntry, right: QueueEntry) -> Bool {
            (-left.priority, left.age) < (-right.priority, right.age)
        }
    }

    let limits: StoreLimits
    let lives: TaskLives
    var jobs: [JobID: Job] = [:]
    var workers: [WorkerID: (record: WorkerRecord, at: Int64)] = [:]
    var builds: [String: BuildState] = [:]
    var schedules: [String: ScheduleRecord] = [:]
    var counters = StoreCounters()
    /// What happened in the current call, for those who wait.
    var raised: Set<StoreSignal> = []
    var timetable = Timetable()
    private var lastToken: Int64 = 0
    private var lastNumber = 0
    private var ages: [TaskID: Int] = [:]
    private var waitingShapes: [TaskShape: Int] = [:]

    init(limits: StoreLimits, lives: TaskLives) {
        self.limits = limits
        self.lives = lives
    }

    mutating func nextToken(at now: Int64) -> Int64 {
        lastToken = lives.tokenAfter(lastToken, now)
        return lastToken
    }

    func task(_ id: TaskID) -> TaskRecord? {
        id.job.flatMap { jobs[$0]?.tasks[id] }
    }

    // MARK: Jobs

    mutating func submit(_ job: NewJob, at now: Int64) throws(JobStoreError) -> JobRecord {
        dropEndedJobs(at: now)
        if let known = jobs[job.id]?.record {
            guard known.spec == job else { throw .conflictingSubmission(job.id) }
            return known
        }
        try checkActiveJobs()
        try limits.check(job)
        try checkShapes(adding: [job.driver])
        let place = try place(after: job.after ?? [])
        lastNumber += 1
        var record = JobRecord(spec: job, state: .active(.queued), submittedAt: now)
        record.waitsFor = place.open
        jobs[job.id] = Job(record: record, number: lastNumber, depth: place.depth)
        add(job.driver, isHeld: !place.open.isEmpty || place.obstacle != nil, at: now)
        if let obstacle = place.obstacle { _ = stop(job.id, by: obstacle, at: now) }
        raised.formUnion([.work, .job(job.id)])
        return jobs[job.id]?.record ?? record
    }

    func checkActiveJobs() throws(JobStoreError) {
        guard jobs.values.count(where: { !$0.record.state.isTerminal }) < limits.activeJobsMax
        else { throw .full("\(limits.activeJobsMax) jobs are active") }
    }

    mutating func stop(_ id: JobID, by whom: String, at now: Int64) -> JobRecord? {
        guard let job = jobs[id] else { return nil }
        guard case .active = job.record.state else { return job.record }
        jobs[id]?.record = job.record.stopping(by: whom)
        cancelTasks(of: id, by: whom, at: now)
        raised.formUnion([.job(id), .work])
        return jobs[id]?.record
    }

    mutating func report(
        _ phase: JobPhase, of id: JobID, under lease: Lease, at now: Int64
    ) throws(JobStoreError) {
        guard let job = jobs[id], isCurrent(lease, of: .driver(of: id)) else {
            throw .leaseLost(lease.task)
        }
        jobs[id]?.record = job.record.entering(phase, at: now)
        raised.insert(.job(id))
    }

    private func isCurrent(_ lease: Lease, of task: TaskID) -> Bool {
        guard lease.task == task, case .running(let current) = self.task(task)?.state else {
            return false
        }
        return current.token == lease.token && current.worker == lease.worker
    }

    mutating func delete(_ id: JobID) -> Bool {
        guard let job = jobs[id], job.record.state.isTerminal else { return false }
        drop(job)
        raised.insert(.job(id))
        return true
    }

    private mutating func drop(_ job: Job) {
        for task in job.order {
            ages[task] = nil
            timetable.forget(task)
        }
        jobs[job.record.spec.id] = nil
    }

    private mutating func dropEndedJobs(at now: Int64) {
        let ended = jobs.values.filter(\.record.state.isTerminal).sorted {
            ($0.record.endedAt ?? 0, $0.number) < ($1.record.endedAt ?? 0, $1.number)
        }
        let overdue = ended.count {
            ($0.record.endedAt ?? 0) + limits.retentionInMilliseconds <= now
        }
        for job in ended.prefix(max(overdue, ended.count - limits.endedJobsMax)) {
            drop(job)
        }
    }

    // MARK: Tasks

    mutating func enqueue(
        _ tasks: [NewTask], under lease: Lease, at now: Int64
    ) throws(JobStoreError) -> [TaskRecord] {
        let job = try driven(by: lease)
        let id = job.record.spec.id
        for task in tasks { try limits.check(task, of: id) }
        let tasks = tasks.map { task in
            var task = task
            task.pool = job.record.spec.poolName
            return task
        }
        var asked: Set<TaskID> = []
        let fresh = tasks.filter { job.tasks[$0.id] == nil && asked.insert($0.id).inserted }
        guard job.record.tasksTotal + fresh.count <= limits.tasksPerJobMax else {
            throw .full("a job has at most \(limits.tasksPerJobMax) tasks")
        }
        let stale = Set(tasks.map(\.id)).compactMap { job.tasks[$0] }.filter { old in
            old.life < job.record.lives && old.state.isTerminal
        }
        let anew = stale.compactMap { old in
            (try? lives.reviving(old, job.record.lives, now)).map { (old: old, new: $0) }
        }
        try checkShapes(adding: fresh + anew.map(\.new.spec))
        for task in fresh { add(task, at: now) }
        for (old, new) in anew { apply(new, was: old, at: now) }
        if !fresh.isEmpty { raised.insert(.work) }
        return tasks.compactMap { jobs[id]?.tasks[$0.id] }
    }

    mutating func cancel(
        _ tasks: [TaskID], by whom: String, under lease: Lease, at now: Int64
    ) throws(JobStoreError) {
        let job = try driven(by: lease)
        let id = job.record.spec.id
        for task in tasks where task != lease.task {
            guard let old = jobs[id]?.tasks[task], !old.state.isTerminal else { continue }
            apply(old.cancelling(by: whom), was: old, at: now)
            if case .running = old.state { raised.insert(.job(id)) }
        }
    }

    /// What a person asks, who needs no lease.
    mutating func cancelTask(_ id: TaskID, by whom: String, at now: Int64) -> TaskRecord? {
        guard let old = task(id) else { return nil }
        if old.spec.kind == .driver {
            _ = stop(old.spec.job, by: whom, at: now)
        } else if !old.state.isTerminal {
            apply(old.cancelling(by: whom), was: old, at: now)
            if case .running = old.state { raised.insert(.job(old.spec.job)) }
        }
        return task(id)
    }

    /// In order of creation.
    func deadTasks(of job: JobID) -> [TaskRecord] {
        guard let job = jobs[job] else { return [] }
        return job.order.compactMap { job.tasks[$0] }.filter { task in
            if case .failed = task.state { return task.spec.kind == .task }
            return false
        }
    }

    /// The active job whose driver holds this lease.
    private func driven(by lease: Lease) throws(JobStoreError) -> Job {
        guard let id = lease.task.job, let job = jobs[id] else { throw .leaseLost(lease.task) }
        guard case .active = job.record.state else { throw .jobOver(id) }
        guard isCurrent(lease, of: .driver(of: id)) else { throw .leaseLost(lease.task) }
        return job
    }

    private mutating func add(_ task: NewTask, isHeld: Bool = false, at now: Int64) {
        var record = TaskRecord(new: task, at: now)
        record.life = jobs[task.job]?.record.lives ?? 1
        if isHeld { record = lives.holding(record) }
        lastNumber += 1
        ages[task.id] = lastNumber
        jobs[task.job]?.order.append(task.id)
        apply(record, was: nil, at: now)
    }

    func checkShapes(adding tasks: [NewTask]) throws(JobStoreError) {
        let fresh = Set(tasks.map(TaskShape.init)).subtracting(waitingShapes.keys)
        guard fresh.isEmpty || waitingShapes.count + fresh.count <= limits.shapesMax else {
            throw .full("\(limits.shapesMax) different combinations of resources and labels wait")
        }
    }

    /// Keeps a task's new value, moves it between the queues, and lets its job follow.
    mutating func apply(_ task: TaskRecord, was old: TaskRecord?, at now: Int64) {
        // In place: a copy of the job would be one of all its tasks.
        guard let place = jobs.index(forKey: task.spec.job) else { return }
        jobs.values[place].keep(task, was: old)
        timetable.keep(task, was: old, at: now)
        switch (old?.state, task.state) {
        case (.waiting, .waiting): break
        case (.waiting, _): dequeue(task, from: place)
        default: break
        }
        switch task.state {
        case .waiting where !task.isHeld: enqueue(task, at: place)
        case .waiting, .running: break
        case .succeeded, .failed, .cancelled:
            raised.insert(.tasks(task.spec.job))
            jobs.values[place].noteEnd(of: task, was: old)
        }
        if task.spec.kind == .driver, old != nil { follow(driver: task, at: now) }
    }

    private func entry(of task: TaskRecord) -> QueueEntry {
        QueueEntry(
            priority: lives.priority(task.spec), age: ages[task.spec.id] ?? 0, task: task.spec.id)
    }

    private typealias Place = Dictionary<JobID, Job>.Index

    private mutating func enqueue(_ task: TaskRecord, at place: Place) {
        let entry = entry(of: task)
        let index = jobs.values[place].waiting.firstPosition { $0 > entry }
        jobs.values[place].waiting.insert(entry, at: index)
        waitingShapes[TaskShape(task.spec), default: 0] += 1
        raised.insert(.work)
    }

    private mutating func dequeue(_ task: TaskRecord, from place: Place) {
        let entry = entry(of: task)
        let index = jobs.values[place].waiting.firstPosition { $0 >= entry }
        guard index < jobs.values[place].waiting.count,
            jobs.values[place].waiting[index].task == task.spec.id
        else { return }
        jobs.values[place].waiting.remove(at: index)
        let shape = TaskShape(task.spec)
        let left = (waitingShapes[shape] ?? 1) - 1
        waitingShapes[shape] = left > 0 ? left : nil
    }

    private mutating func follow(driver: TaskRecord, at now: Int64) {
        let id = driver.spec.job
        guard let job = jobs[id] else { return }
        let record = job.record.following(driver: driver, at: now)
        guard record != job.record else { return }
        jobs[id]?.record = record
        raised.insert(.job(id))
        if record.state.isTerminal, let whom = record.cancelsTasksBy {
            cancelTasks(of: id, by: whom, at: now)
            tellFollowers(of: record, at: now)
        }
    }

    private mutating func cancelTasks(of id: JobID, by whom: String, at now: Int64) {
        // The driver goes last: it takes the job's own state with it.
        for task in (jobs[id]?.order ?? []).reversed() {
            guard let old = jobs[id]?.tasks[task], !old.state.isTerminal else { continue }
            apply(old.cancelling(by: whom), was: old, at: now)
        }
    }
}

extension Array {
    /// The first index whose element satisfies `isPast`, in an array where all such stand last.
    fileprivate func firstPosition(where isPast: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isPast(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
