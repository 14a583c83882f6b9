import Foundation
import JobChannel
import Synchronization
import Testing

@testable import Manta

/// A driver and executors on a real socket, with a worker that has no store.
@Suite(.timeLimit(.minutes(1))) struct ClusterTests {
    init() { TestTasks.declareAll() }

    private func withWorker(
        executors: Int, slots: Int = 4, _ body: (TestWorker, Cluster) async throws -> Void
    ) async throws {
        let worker = try TestWorker(slots: slots)
        defer { worker.end() }
        try await worker.startExecutors(executors)
        try await body(worker, try await worker.makeCluster())
    }

    @Test("Outputs come in the inputs' order, and never more calls run than asked for")
    func order() async throws {
        try await withWorker(executors: 4) { worker, cluster in
            let outputs = try await cluster.map(TestTasks.double, over: 0..<200, maxInFlight: 5)
            #expect(outputs == (0..<200).map { $0 * 2 })
            #expect(worker.seen.outstandingMax == 5)
        }
    }

    @Test("Without a bound of its own a map keeps twice the slots and two in flight")
    func defaultBound() async throws {
        try await withWorker(executors: 3, slots: 3) { worker, cluster in
            _ = try await cluster.map(TestTasks.double, over: 0..<50)
            #expect(worker.seen.outstandingMax == 8)
        }
    }

    @Test("No inputs give no outputs")
    func empty() async throws {
        try await withWorker(executors: 1) { worker, cluster in
            let outputs = try await cluster.map(TestTasks.double, over: [])
            #expect(outputs.isEmpty)
            #expect(worker.seen.enqueued.isEmpty)
        }
    }

    @Test("Options of a call travel with it, and those of the task stay as they were")
    func options() async throws {
        try await withWorker(executors: 1) { worker, cluster in
            let urgent = TestTasks.double.options(
                numCPUs: 0.5, numGPUs: 1, memory: 1 << 20, resources: ["licence": 0.25],
                maxRetries: 0, retryExceptions: true, retryDelay: .milliseconds(250),
                scheduleToStart: .seconds(60), startToClose: .milliseconds(1_500),
                scheduleToClose: .seconds(3_600), heartbeat: .seconds(2), priority: -7)
            let first = try await cluster.run(urgent, 4)
            let plain = try await cluster.run(TestTasks.double, 5)
            let more = urgent.options(maxRetries: 2)
            let mapped = try await cluster.map(more, over: [6])
            #expect(first == 8 && plain == 10 && mapped == [12])
            var expected = TaskRequest(
                name: "double", occurrence: 0, milliCPUs: 500, memoryInBytes: 1 << 20,
                attemptsMax: 1, retriesErrors: true)
            expected.gpus = 1
            expected.customResources = ["licence": 250]
            expected.retryDelay = 250
            expected.limits = .init(
                scheduleToStart: 60_000, startToClose: 1_500, scheduleToClose: 3_600_000,
                heartbeat: 2_000)
            expected.priority = -7
            let seen = worker.seen.enqueued
            #expect(seen.first == expected)
            #expect(seen.dropFirst().first == TaskRequest(name: "double", occurrence: 0))
            expected.attemptsMax = 3
            #expect(seen.last == expected)
        }
    }

    @Test("The first failure ends a map: it is thrown, the rest is given up or never started")
    func failure() async throws {
        try await withWorker(executors: 4) { worker, cluster in
            await #expect(
                throws: JobError.taskFailed(task: "picky", message: "7 is unlucky")
            ) {
                _ = try await cluster.map(TestTasks.picky, over: 0..<500, maxInFlight: 8)
            }
            #expect(worker.seen.enqueued.count < 100)
            try await expectSoon { worker.seen.abandoned > 0 }
            // The cluster goes on working after a failed map.
            #expect(try await cluster.run(TestTasks.double, 4) == 8)
        }
    }

    @Test("A restarted driver gets every answer without a task running again")
    func memo() async throws {
        let worker = try TestWorker(slots: 2)
        defer { worker.end() }
        try await worker.startExecutors(2)
        let inputs = [1, 1, 2, 1, 3, 2]
        for _ in 0..<2 {
            let cluster = try await worker.makeCluster()
            #expect(try await cluster.map(TestTasks.count, over: inputs) == inputs)
        }
        #expect(worker.seen.assignments == inputs.count)
        // Two of a map's calls are under way at once, so they arrive in any order.
        let occurrences = worker.seen.enqueued.prefix(inputs.count).map(\.occurrence)
        #expect(occurrences.sorted() == [0, 0, 0, 1, 1, 2])
    }

    @Test("Inputs and results over 64 KiB travel as blobs, and no file is left behind")
    func blobs() async throws {
        try await withWorker(executors: 2) { worker, cluster in
            let text = String(repeating: "manta ", count: 50_000)
            let twice = try await cluster.run(TestTasks.repeatText, text)
            #expect(twice == text + text)
            #expect(worker.seen.enqueued.first?.inputBlob != nil)
            #expect(worker.seen.blobsOffered == 2)
            #expect(worker.scratchFiles == [])
        }
    }

    @Test("Data inside a value goes along once, however many tasks carry it")
    func attachments() async throws {
        try await withWorker(executors: 2) { worker, cluster in
            let bytes = Data(repeating: 1, count: 100_000)
            let parts = (0..<6).map { TestTasks.Part(bytes: bytes, offset: $0) }
            let sums = try await cluster.map(TestTasks.sumOfData, over: parts)
            #expect(sums == (0..<6).map { 100_000 + $0 })
            #expect(worker.seen.blobsOffered == 1)
            #expect(worker.seen.enqueued.allSatisfy { $0.inputBlob == nil })
        }
    }

    @Test("A value that was put is read by tasks")
    func put() async throws {
        try await withWorker(executors: 1) { _, cluster in
            let reference = try await cluster.put(value: [1, 2, 39])
            #expect(try await cluster.run(TestTasks.readBlob, reference) == 42)
            let missing = BlobReference(of: Data("nowhere".utf8))
            await #expect(throws: JobError.self) {
                _ = try await cluster.run(TestTasks.readBlob, missing)
            }
        }
    }

    @Test("Numbers that JSON does not know arrive as they are")
    func nonFinite() async throws {
        try await withWorker(executors: 1) { _, cluster in
            let values = [Double.infinity, -.infinity, .nan, 0.1, -0.0, .leastNonzeroMagnitude]
            let answer = try await cluster.run(TestTasks.floats, values)
            #expect(answer.map(\.bitPattern) == values.map(\.bitPattern))
        }
    }

    @Test("When an executor dies its task runs again and the outputs are the same")
    func killedExecutor() async throws {
        try await withWorker(executors: 3) { worker, cluster in
            async let outputs = cluster.map(TestTasks.sleepy, over: 20..<60)
            try await expectSoon { worker.killOneBusyExecutor() }
            #expect(try await outputs == Array(20..<60))
            #expect(worker.seen.attemptsMax == 2)
        }
    }

    @Test("A lost worker fails every call that waits, and later ones")
    func lostWorker() async throws {
        try await withWorker(executors: 1) { worker, cluster in
            let waiting = Task { try await cluster.run(TestTasks.sleepy, 30_000) }
            try await expectSoon { worker.seen.assignments == 1 }
            worker.closeDrivers()
            await #expect(throws: JobError.self) { try await waiting.value }
            await #expect(throws: JobError.self) { try await cluster.run(TestTasks.double, 1) }
        }
    }

    @Test("A cancelled call is given up at once")
    func cancelledCall() async throws {
        try await withWorker(executors: 1) { worker, cluster in
            let waiting = Task { try await cluster.run(TestTasks.sleepy, 30_000) }
            try await expectSoon { worker.seen.assignments == 1 }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            try await expectSoon { worker.seen.abandoned == 1 }
        }
    }

    @Test("The number of slots follows what the worker says")
    func slots() async throws {
        try await withWorker(executors: 1, slots: 4) { worker, cluster in
            #expect(cluster.slots == 4)
            try await expectSoon {
                // Again, for the case that the driver was not yet on the worker's list.
                worker.toldDrivers(.slots(9))
                return cluster.slots == 9
            }
        }
    }

    @Test("The last result is handed over as JSON with sorted keys")
    func result() async throws {
        try await withWorker(executors: 1) { worker, cluster in
            try await cluster.setResult(["old": 1])
            try await cluster.setResult(["b": 2, "a": 1])
            try await cluster.deliverResult()
            try await expectSoon { worker.seen.result != nil }
            #expect(
                worker.seen.result.map { String(decoding: $0, as: UTF8.self) } == #"{"a":1,"b":2}"#)
            await #expect(throws: JobError.self) {
                try await cluster.setResult(String(repeating: "x", count: 2 << 20))
            }
        }
    }

    @Test("A name no executor knows fails before it is sent")
    func undeclared() throws {
        var registry = TaskRegistry()
        try registry.close()
        registry.register("late") { _, _ in [] }
        #expect(throws: JobError.taskNotDeclared(task: "late")) {
            _ = try registry.entry(named: "late")
        }
    }
}
