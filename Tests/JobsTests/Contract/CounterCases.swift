@testable import Jobs

extension ContractCase {
    static let counters: [ContractCase] = [
        ContractCase("Endings that were told twice, or came too late, are counted") { bench in
            let driver = try await bench.drive("a")
            try await bench.add([makeTask("t", job: "a", retry: .immediate)], driver)
            let lease = try await bench.claimOne(lease: 5)
            try await bench.pass(10)
            let next = try await bench.claimOne()
            try equal(try await bench.finish(lease, .succeeded(.inline([1]))), .leaseLost)
            for _ in 0..<3 { _ = try await bench.finish(next, .succeeded(.inline([2]))) }
            let counters = try await bench.store.counters()
            try equal(counters.duplicateCommits, 2)
            try equal(counters.refusedCommits, 1)
        }
    ]
}
