import Foundation
import JobChannel
import ModelFormats
import TestSupport
import Testing

@testable import Manta

@Suite(.timeLimit(.minutes(2))) struct FitTests {
    init() { FitTasks.declare() }

    private func makeData(rows: Int = 400) throws -> Dataset {
        try makeClassification(
            samples: rows, features: 10, informative: 5, redundant: 5, classes: 3, seed: 7)
    }

    /// What must be equal: the bytes that are served.
    private func digest(of model: TrainedModel) throws -> String {
        BlobReference(of: Data(try ModelFile.encode(model))).digest
    }

    @Test("One or many executors, this process alone, and killed ones make the same model.manta")
    func sameBytes() async throws {
        let data = try makeData()
        let learner = try RandomForestClassifier(trees: 41, seed: 3)
        let expected = try digest(of: learner.fit(data, threads: 1))
        for slots in [1, 3] {
            let cluster = Cluster(LocalRunner(slots: slots), try DriverEnvironment([:]))
            #expect(try digest(of: await cluster.fit(learner, to: data)) == expected)
        }
        for executors in [1, 3] {
            let worker = try TestWorker(slots: executors)
            defer { worker.end() }
            try await worker.startExecutors(executors)
            let cluster = try await worker.makeCluster()
            let fitting = Task { try await cluster.fit(learner, to: data) }
            if executors > 1 {
                try await expectSoon {
                    worker.killOneBusyExecutor() || worker.seen.assignments > 30
                }
            }
            #expect(try digest(of: await fitting.value) == expected)
        }
    }

    @Test("The cut into tasks depends on the trees alone, and a restarted fit repeats nothing")
    func restart() async throws {
        let data = try makeData()
        let learner = try RandomForestClassifier(trees: 75, seed: 1)
        let worker = try TestWorker(slots: 2)
        defer { worker.end() }
        try await worker.startExecutors(2)
        let first = try await worker.makeCluster().fit(learner, to: data)
        let assignments = worker.seen.assignments
        // 25 for the trees and one for the bins.
        #expect(assignments == 26)
        worker.toldDrivers(.slots(64))
        let second = try await worker.makeCluster().fit(learner, to: data)
        #expect(first == second)
        #expect(worker.seen.assignments == assignments)
        #expect(worker.scratchFiles == [])
    }

    @Test("Every tree is grown once, for any number of trees")
    func cut() throws {
        let source = BinnedSource.bins(BlobReference(of: Data("x".utf8)))
        for count in [1, 2, 31, 32, 33, 75, 100, 1_000] {
            let learner = try RandomForestClassifier(trees: count, seed: 1)
            let inputs = GrowTreesInput.all(of: learner, on: source)
            #expect(inputs.count <= GrowTreesInput.taskCount)
            #expect(inputs.flatMap { $0.first..<($0.first + $0.count) } == Array(0..<count))
        }
    }

    @Test("A fit on data that cannot be learned from says why")
    func unusableData() async throws {
        let cluster = Cluster(LocalRunner(slots: 1), try DriverEnvironment([:]))
        let numbers = try Dataset(
            features: FeatureMatrix(values: [1, 2, 3], featureCount: 1), values: [1, 2, 3])
        let learner = try RandomForestClassifier(trees: 2, seed: 1)
        await #expect {
            try await cluster.fit(learner, to: numbers)
        } throws: { "\($0)".contains("use a regressor") }
    }

    @Test("Trees out of range are refused, not trapped on")
    func hostileInput() async throws {
        let cluster = Cluster(LocalRunner(slots: 1), try DriverEnvironment([:]))
        let source = BinnedSource.values(try await cluster.put(try makeData(rows: 20)), seed: 1)
        let learner = AnyLearner(try RandomForestClassifier(trees: 2, seed: 1))
        for (first, count) in [(-1, 1), (0, 3), (2, 1), (Int.max, 2), (0, 0), (1, -1)] {
            await #expect(throws: JobError.self) {
                try await cluster.run(
                    GrowTrees.task,
                    GrowTreesInput(data: source, learner: learner, first: first, count: count))
            }
        }
    }

    @Test("Data sets are read by tasks as they were")
    func datasets() async throws {
        let cluster = Cluster(LocalRunner(slots: 1), try DriverEnvironment([:]))
        let data = try makeData(rows: 30)
        let reference = try await cluster.put(data)
        let context = TaskContext(
            taskName: "x", attempt: 1, jobID: "j", node: "n", threads: 1,
            blobs: cluster.runner)
        #expect(try await context.dataset(reference).encoded() == data.encoded())
    }

    @Test("A CSV is loaded from a path and from an address alike; an error answer is named")
    func loading() async throws {
        let csv = "a,b,target\n1,2,yes\n3,,no\n5,6,yes\n"
        let server = try TestHTTPServer { request in
            request.path == "/data.csv" ? .answer(200, csv) : .answer(404, "gone")
        }
        defer { server.stop() }
        let path = FileManager.default.temporaryDirectory.path + "/ml-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(csv.utf8).write(to: URL(fileURLWithPath: path))
        let local = try await Dataset.load(csv: path, target: "target")
        let remote = try await Dataset.load(csv: server.url + "/data.csv", target: "target")
        #expect(local.encoded() == remote.encoded())
        #expect(local.rowCount == 3 && local.optionalFeatures == ["b"])
        var options = ReadOptions(target: "target", weight: "a")
        options.categorical = ["b"]
        let weighted = try await Dataset.load(csv: server.url + "/data.csv", options: options)
        #expect(weighted.weights == [1, 3, 5] && weighted.featureNames == ["b"])
        #expect(
            try await Dataset.load(csv: path, options: options).encoded() == weighted.encoded())
        await #expect {
            _ = try await Dataset.load(csv: server.url + "/other.csv", target: "target")
        } throws: { "\($0)".contains("status 404") }
    }
}
