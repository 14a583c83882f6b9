import Cluster
import Foundation
import Jobs

/// What a head said of its cluster at one moment.
struct TopSample: Sendable {
    let details: ClusterDetails
    /// Seconds on a clock that only grows.
    let time: Double

    init(_ details: ClusterDetails) {
        let now = ContinuousClock.now - TopSample.start
        self.init(
            details,
            time: Double(now.components.seconds) + Double(now.components.attoseconds) / 1e18)
    }

    init(_ details: ClusterDetails, time: Double) {
        self.details = details
        self.time = time
    }

    private static let start = ContinuousClock.now
}

/// The lines of `manta top`, made of one sample and the one before it.
struct TopScreen: Sendable {
    let sample: TopSample
    /// For rates; nil: there are none yet.
    let before: TopSample?
    let address: String
    /// Why the sample is an old one.
    var trouble: String?

    private var workers: [WorkerRecord] { sample.details.workers }
    private var load: ClusterLoad { sample.details.load ?? ClusterLoad() }

    /// At most `rows` lines of at most `columns` characters.
    func lines(columns: Int, rows: Int) -> [String] {
        let head = header
        let pools = poolTable
        let blanks = pools.isEmpty ? 1 : 2
        let room = rows == .max ? Int.max : max(0, rows - head.count - pools.count - blanks)
        var all = head + [""] + workerTable(rows: room)
        if !pools.isEmpty { all += [""] + pools }
        return all.prefix(rows).map { String($0.prefix(columns)) }
    }

    private var header: [String] {
        var lines = ["manta \(sample.details.version) at \(address)"]
        if let trouble { lines.append("! " + TextTable.plain(trouble)) }
        let free = workers.reduce(0) { $0 + max(0, $1.free.milliCPUs) }
        let total = workers.reduce(0) { $0 + $1.total.milliCPUs }
        lines.append(
            "Workers  \(workers.count), CPUs \(cpus(free)) of \(cpus(total)) free, "
                + "\(load.leases) attempts running")
        lines.append(
            "Jobs     \(load.pendingJobs) pending, \(load.runningJobs) running, "
                + "\(load.stoppingJobs) stopping, \(load.endedJobs) over, "
                + "\(load.schedules) schedules")
        let waiting = load.pools.reduce(0) { $0 + $1.waitingTasks }
        lines.append(
            "Tasks    \(rate(of: workers)) a second, \(waiting) waiting, "
                + "\(load.delayedTasks) between attempts, \(sum(\.succeededCount)) finished, "
                + "\(sum(\.failedCount)) failed")
        return lines
    }

    private func workerTable(rows: Int) -> [String] {
        guard !workers.isEmpty else {
            return ["No worker is alive. Start one with: manta worker, or manta up"]
        }
        // One line is the header's, and one may say what is left out.
        let shown = workers.count <= rows - 1 ? workers : Array(workers.prefix(max(0, rows - 2)))
        let cells = shown.map { worker in
            [
                worker.name, worker.poolNames.sorted().joined(separator: ","),
                "\(cpus(max(0, worker.free.milliCPUs)))/\(cpus(worker.total.milliCPUs))",
                memory(worker), drivers(worker), String(worker.runningTasks), rate(of: [worker]),
                worker.succeededCount.map(String.init) ?? "-",
                worker.failedCount.map(String.init) ?? "-",
            ]
        }
        let header = [
            "WORKER", "POOLS", "CPUS FREE", "MEMORY FREE", "DRIVERS FREE", "RUNNING", "TASKS/S",
            "FINISHED", "FAILED",
        ]
        let lines = table(header, cells)
        let left = workers.count - shown.count
        return left > 0 ? lines + ["… and \(left) more workers"] : lines
    }

    private var poolTable: [String] {
        guard !load.pools.isEmpty else { return [] }
        let cells = load.pools.map { pool in
            let serving = workers.count { $0.poolNames.contains(pool.name) }
            return [
                pool.name, String(serving), String(pool.waitingDrivers), String(pool.waitingTasks),
            ]
        }
        return table(["POOL", "WORKERS", "JOBS WAITING", "TASKS WAITING"], cells)
    }

    private func table(_ header: [String], _ cells: [[String]]) -> [String] {
        TextTable.render(header, cells).split(separator: "\n").map(String.init)
    }

    // MARK: Cells

    private func cpus(_ milliCPUs: Int) -> String { (Double(milliCPUs) / 1_000).plainText }

    private func memory(_ worker: WorkerRecord) -> String {
        let free = max(0, worker.free.memoryInBytes)
        return "\(free.inBinaryUnits)/\(worker.total.memoryInBytes.inBinaryUnits)"
    }

    private func drivers(_ worker: WorkerRecord) -> String {
        guard let free = worker.freeDriverSlots, let total = worker.driverSlots else { return "-" }
        return "\(free)/\(total)"
    }

    private func sum(_ count: KeyPath<WorkerRecord, Int?>) -> Int {
        workers.reduce(0) { $0 + ($1[keyPath: count] ?? 0) }
    }

    /// Attempts that ended since the sample before, for each second. A worker that was not there
    /// then does not count.
    private func rate(of workers: [WorkerRecord]) -> String {
        guard let before, sample.time > before.time else { return "-" }
        let known = Dictionary(
            before.details.workers.map { ($0.id, $0.endedCount) }, uniquingKeysWith: { $1 })
        let ended = workers.reduce(0) { sum, worker in
            sum + (known[worker.id].map { max(0, worker.endedCount - $0) } ?? 0)
        }
        let perSecond = Double(ended) / (sample.time - before.time)
        return perSecond < 10
            ? ((perSecond * 10).rounded() / 10).plainText : String(Int(perSecond.rounded()))
    }
}

extension WorkerRecord {
    fileprivate var endedCount: Int { (succeededCount ?? 0) + (failedCount ?? 0) }
}
