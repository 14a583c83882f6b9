@testable import Jobs

/// Jobs that are submitted by the clock. A bench's clock begins 1,000 s after 1970, at 00:16:40.
extension ContractCase {
    static let schedules: [ContractCase] = [
        ContractCase("A schedule that is due submits its job once, whoever calls") { bench in
            let record = try await bench.store.put(nightly("*/10 * * * *"))
            try equal(record.nextFire, 1_200_000)
            try equal(record.lastFire, nil)
            try equal(try await bench.store.fireSchedules(), [], "not due")
            try await bench.pass(200_000)
            let fired = try await withThrowingTaskGroup(of: [JobRecord].self) { group in
                for _ in 0..<5 { group.addTask { try await bench.store.fireSchedules() } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try equal(fired.map(\.spec.id.rawValue), ["nightly-19700101T0020Z"])
            try equal(fired[0].spec.entrypoint, .command("true"))
            try equal(fired[0].state, .active(.queued))
            let after = try await bench.store.schedules()
            try equal(after.map(\.nextFire), [1_800_000])
            try equal(after.map(\.lastFire), [1_200_000])
            try equal(try await bench.claim(drivers: 9).grants.count, 1)
        },
        ContractCase("Of fires that were missed only the latest is made up for") { bench in
            _ = try await bench.store.put(nightly("*/10 * * * *"))
            try await bench.pass(3_000_000)
            let fired = try await bench.store.fireSchedules()
            try equal(fired.map(\.spec.id.rawValue), ["nightly-19700101T0100Z"])
            try equal(try await bench.store.schedules().map(\.nextFire), [4_200_000])
            try equal(try await bench.store.fireSchedules(), [])
        },
        ContractCase("A schedule is replaced by its name; the same one keeps its time") { bench in
            let first = try await bench.store.put(nightly("*/10 * * * *"))
            try await bench.pass(200_000)
            try equal(try await bench.store.put(nightly("*/10 * * * *")), first, "and is due")
            _ = try await bench.store.fireSchedules()
            let other = try await bench.store.put(nightly("@hourly"))
            try equal(other.nextFire, 3_600_000)
            try equal(other.lastFire, 1_200_000)
            try equal(try await bench.store.schedules(), [other])
            try equal(try await bench.store.deleteSchedule("nightly"), true)
            try equal(try await bench.store.deleteSchedule("nightly"), false)
            try await bench.pass(9_000_000)
            try equal(try await bench.store.fireSchedules(), [])
            let again = try await bench.store.put(nightly("@hourly"))
            try equal(again.lastFire, nil)
        },
        ContractCase("A fire that finds the store full comes later", { $0.activeJobsMax = 1 }) {
            bench in
            let driver = try await bench.drive("a")
            _ = try await bench.store.put(nightly("*/10 * * * *"))
            try await bench.pass(200_000)
            try equal(try await bench.store.fireSchedules(), [])
            try equal(try await bench.store.schedules()[0].nextFire, 1_200_000)
            _ = try await bench.finish(driver, .succeeded(.inline([])))
            try equal(try await bench.store.fireSchedules().count, 1)
        },
        ContractCase("Schedules are bounded, what is none is refused", { $0.schedulesMax = 2 }) {
            bench in
            for name in ["b", "a"] { _ = try await bench.store.put(nightly("@daily", name)) }
            try await isFull { _ = try await bench.store.put(nightly("@daily", "c")) }
            _ = try await bench.store.put(nightly("@hourly", "a"))
            let names = try await bench.store.schedules().map(\.schedule.name)
            try equal(names, ["a", "b"])
            let wrongs = [nightly("60 * * * *"), nightly("@daily", "no name"), nightly("")]
            for wrong in wrongs {
                try await isRefused { _ = try await bench.store.put(wrong) }
            }
            var chained = nightly("@daily", "a")
            chained.job.after = [.a]
            let refused = chained
            try await isRefused { _ = try await bench.store.put(refused) }
        },
    ]
}

private func nightly(_ cron: String, _ name: String = "nightly") -> Schedule {
    Schedule(name: name, cron: cron, job: newJob("template"))
}
