import Cluster
import Foundation
import Jobs
import Testing

@testable import Commands

/// The lines of `manta top`, from values alone.
@Suite struct TopScreenTests {
    private func worker(
        _ name: String, free: Int = 1_500, finished: Int = 0, failed: Int = 0,
        pools: Set<String>? = nil
    ) -> WorkerRecord {
        var worker = WorkerRecord(
            id: WorkerID(rawValue: name), name: name, host: "h", pid: 1,
            total: Resources(milliCPUs: 2_000, memoryInBytes: 8 << 30),
            free: Resources(milliCPUs: free, memoryInBytes: 3 << 30), labels: [], version: "1",
            runningTasks: 1, pools: pools)
        (worker.driverSlots, worker.freeDriverSlots) = (16, 15)
        (worker.succeededCount, worker.failedCount) = (finished, failed)
        return worker
    }

    private func sample(_ workers: [WorkerRecord], time: Double = 10) -> TopSample {
        var load = ClusterLoad()
        (load.pendingJobs, load.runningJobs, load.leases) = (2, 1, 3)
        (load.endedJobs, load.delayedTasks, load.schedules) = (7, 4, 1)
        load.pools = [
            .init(name: "default", waitingDrivers: 2, waitingTasks: 30),
            .init(name: "gpu", waitingDrivers: 0, waitingTasks: 5),
        ]
        var details = ClusterDetails(version: "1.2.3", workers: workers)
        details.load = load
        return TopSample(details, time: time)
    }

    @Test("Workers, jobs, queues and rates stand in a table each")
    func whole() {
        let before = sample([worker("a", finished: 100, failed: 1)], time: 8)
        let now = sample([
            worker("a", finished: 140, failed: 3), worker("b", free: -500, pools: ["gpu", "x"]),
        ])
        let screen = TopScreen(sample: now, before: before, address: "http://h:1")
        #expect(
            screen.lines(columns: 200, rows: 50) == [
                "manta 1.2.3 at http://h:1",
                "Workers  2, CPUs 1.5 of 4 free, 3 attempts running",
                "Jobs     2 pending, 1 running, 0 stopping, 7 over, 1 schedules",
                "Tasks    21 a second, 35 waiting, 4 between attempts, 140 finished, 3 failed",
                "",
                "WORKER  POOLS    CPUS FREE  MEMORY FREE  DRIVERS FREE  RUNNING  TASKS/S  FINISHED"
                    + "  FAILED",
                "a       default  1.5/2      3 GiB/8 GiB  15/16         1        21       140     "
                    + "  3",
                "b       gpu,x    0/2        3 GiB/8 GiB  15/16         1        0        0       "
                    + "  0",
                "",
                "POOL     WORKERS  JOBS WAITING  TASKS WAITING",
                "default  1        2             30",
                "gpu      1        0             5",
            ])
    }

    @Test("It never has more lines or columns than the terminal")
    func small() {
        let workers = (0..<30).map { worker("worker-\($0)") }
        let screen = TopScreen(sample: sample(workers), before: nil, address: "http://h:1")
        for (columns, rows) in [(80, 24), (20, 5), (1, 1), (0, 0), (500, 200)] {
            let lines = screen.lines(columns: columns, rows: rows)
            #expect(lines.count <= rows && lines.allSatisfy { $0.count <= columns })
        }
        let lines = screen.lines(columns: 120, rows: 24)
        #expect(lines.contains("… and 17 more workers"))
        #expect(lines.last == "gpu      0        0             5")
    }

    @Test("Without a sample before, without workers and with trouble it says so")
    func edges() {
        var empty = TopScreen(sample: sample([]), before: nil, address: "a")
        #expect(empty.lines(columns: 99, rows: 99).contains { $0.hasPrefix("No worker is alive") })
        empty.trouble = "cannot connect\u{1B}[31m"
        #expect(empty.lines(columns: 99, rows: 99)[1] == "! cannot connect\u{FFFD}[31m")
        let first = TopScreen(sample: sample([worker("a")]), before: nil, address: "a")
        #expect(first.lines(columns: 99, rows: 99)[3].hasPrefix("Tasks    - a second"))
    }

    @Test("A worker that began anew, or a clock that stood still, makes no rate")
    func rates() {
        let old = sample([worker("a", finished: 500)], time: 9)
        let anew = TopScreen(sample: sample([worker("a", finished: 3)]), before: old, address: "a")
        #expect(anew.lines(columns: 99, rows: 9)[3].hasPrefix("Tasks    0 a second"))
        let other = TopScreen(sample: sample([worker("b", finished: 3)]), before: old, address: "a")
        #expect(other.lines(columns: 99, rows: 9)[3].hasPrefix("Tasks    0 a second"))
        let still = TopScreen(sample: old, before: old, address: "a")
        #expect(still.lines(columns: 99, rows: 9)[3].hasPrefix("Tasks    - a second"))
        let slow = TopScreen(
            sample: sample([worker("a", finished: 503)]),
            before: sample(old.details.workers, time: 8),
            address: "a")
        #expect(slow.lines(columns: 99, rows: 9)[3].hasPrefix("Tasks    1.5 a second"))
    }
}
