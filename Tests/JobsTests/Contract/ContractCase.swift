import Testing

@testable import Jobs

/// One thing that every job store must do.
struct ContractCase: Sendable, CustomTestStringConvertible {
    let name: String
    let limits: StoreLimits
    let body: @Sendable (StoreBench) async throws -> Void

    var testDescription: String { name }

    init(
        _ name: String, _ adjust: (inout StoreLimits) -> Void = { _ in },
        _ body: @escaping @Sendable (StoreBench) async throws -> Void
    ) {
        self.name = name
        var limits = StoreLimits()
        adjust(&limits)
        self.limits = limits
        self.body = body
    }

    /// What all stores do.
    static let all =
        claims + order + endings + jobs + submitting + records + deadlines
        + newLives + schedules + situations + counters + ahead + ended

    func run(_ kind: StoreKind, without mutation: String? = nil) async throws {
        let bench = try await StoreBench.make(kind, limits, without: mutation)
        try await body(bench)
        await bench.store.close()
    }
}

/// What every job store must do. Each case runs once per store.
@Suite struct JobStoreContract {
    @Test("A job store", arguments: StoreKind.allCases, ContractCase.all)
    func contract(_ kind: StoreKind, _ contractCase: ContractCase) async throws {
        try await contractCase.run(kind)
    }

    @Test("The Redis store, where Redis itself matters", arguments: ContractCase.redisOnly)
    func redisOnly(_ contractCase: ContractCase) async throws {
        try await contractCase.run(.redis)
    }
}
