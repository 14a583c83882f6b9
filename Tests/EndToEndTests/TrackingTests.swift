import Foundation
import TestSupport
import Testing

/// MLflow away, and drivers killed: jobs go on, and everything is in MLflow once when it is there.
@Suite(.serialized) struct TrackingTests {
    /// Logs, registers, and with `--hangs` waits to be killed after it has logged.
    private static let source = """
        import Foundation
        import Manta

        struct Options: JobOptions {
            @Option var name: String
            @Flag var hangs = false
        }

        try await runJob(Options.self) { options, cluster in
            let data = try makeClassification(samples: 200, features: 5, seed: 7)
            let learner = try RandomForestClassifier(trees: 5, maxDepth: 4, seed: 7)
            try await MLflow.run(experiment: options.name, name: "spooled") { run in
                try await run.log(learner.parameters)
                for step in 0..<500 {
                    try await run.log(metric: "loss", 1 / Double(step + 1), step: step)
                }
                try await run.log(text: "hello", as: "notes/a.txt")
                print("logged as", run.id ?? "none")
                while options.hangs { try await Task.sleep(for: .seconds(1)) }
                let model = try await cluster.fit(learner, to: data)
                let version = try await run.register(model, as: options.name)
                print("version", version.version ?? "pending", version.source)
            }
        }
        """

    @Test("With MLflow away from the beginning a job succeeds, and all of it is there once later")
    func away() async throws {
        let place = try MLflowServer.Place.free()
        defer { place.remove() }
        let cluster = try await TestCluster.start(workers: 1, mlflowURL: place.url)
        let name = MLflowServer.unique("away")
        let done = try await cluster.submit(
            Self.source, options: ["--submission-id", name], arguments: ["--name", name])
        #expect(done.exit == .code(0), "\(done.err)\n\(done.out)")
        #expect(done.out.contains("logged as pending:\(name)/run/1"), "\(done.out)")
        #expect(done.out.contains("version pending pending:"), "\(done.out)")
        #expect(done.out.contains("the worker sends them when it is back"), "\(done.out)")
        try await eventually("the status says what waits") {
            let status = try await cluster.manta(["job", "status", name]).out
            return status.contains("SUCCEEDED") && status.contains("MLflow: ")
                && status.contains("records wait, oldest ") && status.contains("last error: ")
        }
        // A worker that is killed and started again finds what its predecessor kept.
        try await cluster.kill("worker-1")
        let mlflow = try await MLflowServer.start(at: place)
        try cluster.startWorker(1)
        try await eventually("all is sent", within: .seconds(60)) {
            try Self.spooled(cluster).isEmpty
        }
        #expect(try await check(place.url, name) == "[('FINISHED', 500, '5')] ['1'] notes/a.txt\n")
        try await eventually("the status says nothing more") {
            try await !cluster.manta(["job", "status", name]).out.contains("MLflow: ")
        }
        await mlflow.stop()
        await cluster.stop()
    }

    @Test("A driver killed with SIGKILL leaves a run that is KILLED and has all it said")
    func killed() async throws {
        let mlflow = try await MLflowServer.shared()
        let cluster = try await TestCluster.start(workers: 1, mlflowURL: mlflow.url)
        let name = MLflowServer.unique("killed")
        let path = try cluster.write(Self.source, named: "job.swift")
        async let finished = cluster.manta([
            "job", "submit", "--submission-id", name, path, "--", "--name", name, "--hangs",
        ])
        try await eventually("it has logged", within: .seconds(60)) {
            try await cluster.manta(["job", "logs", name]).out.contains("logged as ")
        }
        for pid in ProcessTable.pids(withVariable: "MANTA_ROLE=driver")
        where ProcessTable.pids(withVariable: "MANTA_JOB_ID=\(name)").contains(pid) {
            kill(pid, SIGKILL)
        }
        let output = try await finished
        #expect(output.exit != .code(0), "\(output.out)")
        try await eventually("the run is told", within: .seconds(30)) {
            try Self.spooled(cluster).isEmpty
        }
        #expect(try await check(mlflow.url, name) == "[('KILLED', 500, '5')] [] notes/a.txt\n")
        await cluster.stop()
    }

    @Test("What a worker that never comes back kept is sent by manta mlflow replay, once")
    func replay() async throws {
        let place = try MLflowServer.Place.free()
        defer { place.remove() }
        let cluster = try await TestCluster.start(workers: 1, mlflowURL: place.url)
        let name = MLflowServer.unique("replay")
        let done = try await cluster.submit(
            Self.source, options: ["--submission-id", name], arguments: ["--name", name])
        #expect(done.exit == .code(0), "\(done.err)\n\(done.out)")
        try await cluster.kill("worker-1")
        let folders = try Self.spooled(cluster)
        let folder = try #require(folders.first)
        let early = try await cluster.manta(["mlflow", "replay", folder])
        #expect(early.exit == .code(1) && early.out.contains("records wait"), "\(early.out)")
        let mlflow = try await MLflowServer.start(at: place)
        let late = try await cluster.manta(["mlflow", "replay", folder])
        #expect(late.exit == .code(0) && late.out.contains(": sent, see http"), "\(late.out)")
        #expect(try await check(place.url, name) == "[('FINISHED', 500, '5')] ['1'] notes/a.txt\n")
        let again = try await cluster.manta(["mlflow", "replay", folder])
        #expect(again.exit == .code(3), "\(again.err)")
        await mlflow.stop()
        await cluster.stop()
    }

    /// The folders of attempts that wait on worker-1.
    private static func spooled(_ cluster: TestCluster) throws -> [String] {
        let root = cluster.folder + "/state/manta/spool/worker-1"
        let files = FileManager.default
        guard files.fileExists(atPath: root) else { return [] }
        return try files.contentsOfDirectory(atPath: root).flatMap { job in
            ((try? files.contentsOfDirectory(atPath: "\(root)/\(job)")) ?? []).map {
                "\(root)/\(job)/\($0)"
            }
        }
    }

    /// Status, values and trees of each run, versions, and the artifact, as Python sees them.
    private func check(_ url: String, _ name: String) async throws -> String {
        try await Python.run(
            """
            import mlflow, sys
            mlflow.set_tracking_uri(sys.argv[1])
            client = mlflow.MlflowClient()
            experiment = client.get_experiment_by_name(sys.argv[2])
            runs = client.search_runs([experiment.experiment_id])
            print([(r.info.status, len(client.get_metric_history(r.info.run_id, "loss")),
                    r.data.params.get("n_estimators")) for r in runs],
                [str(v.version) for v in client.search_model_versions(f"name='{sys.argv[2]}'")],
                *[f.path for r in runs for f in client.list_artifacts(r.info.run_id, "notes")])
            """, arguments: [url, name])
    }
}
