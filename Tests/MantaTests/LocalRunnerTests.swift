import Foundation
import Testing

@testable import Manta

@Suite(.timeLimit(.minutes(1))) struct LocalRunnerTests {
    init() { TestTasks.declareAll() }

    private func makeCluster(slots: Int) throws -> Cluster {
        Cluster(LocalRunner(slots: slots), try DriverEnvironment([:]))
    }

    @Test("A job that is alone gets the same outputs in the same order")
    func map() async throws {
        let cluster = try makeCluster(slots: 2)
        #expect(
            try await cluster.map(TestTasks.double, over: 0..<50) == (0..<50).map { $0 * 2 })
        #expect(cluster.slots == 2 && cluster.jobID == "alone")
    }

    @Test("Never more tasks run than there are slots")
    func slots() async throws {
        let cluster = try makeCluster(slots: 3)
        let concurrent = try await cluster.map(
            TestTasks.overlapping, over: 0..<60, maxInFlight: 30)
        #expect(concurrent.max() == 3)
    }

    @Test("Errors are tried again only where the task says so")
    func retries() async throws {
        let cluster = try makeCluster(slots: 1)
        #expect(try await cluster.run(TestTasks.stubborn, 0) == 3)
        await #expect(throws: JobError.taskFailed(task: "picky", message: "7 is unlucky")) {
            try await cluster.run(TestTasks.picky, 7)
        }
    }

    @Test("Blobs stay in the process")
    func blobs() async throws {
        let cluster = try makeCluster(slots: 1)
        let reference = try await cluster.put(value: [20, 22])
        #expect(try await cluster.run(TestTasks.readBlob, reference) == 42)
        let part = TestTasks.Part(bytes: Data(repeating: 2, count: 40_000), offset: 1)
        #expect(try await cluster.run(TestTasks.sumOfData, part) == 80_001)
    }

    @Test("A cancelled map ends soon")
    func cancelled() async throws {
        let cluster = try makeCluster(slots: 2)
        let mapping = Task {
            try await cluster.map(TestTasks.sleepy, over: Array(repeating: 20_000, count: 20))
        }
        try await Task.sleep(for: .milliseconds(20))
        mapping.cancel()
        await #expect(throws: CancellationError.self) { try await mapping.value }
    }
}
