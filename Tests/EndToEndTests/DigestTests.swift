import Foundation
import Testing

/// The same data, parameters and seed give the same `model.manta`, however it was trained.
@Suite(.serialized) struct DigestTests {
    private static let source = """
        import Foundation
        import Manta

        struct Options: JobOptions { @Option var output: String }

        try await runJob(Options.self) { options, cluster in
            let data = try makeClassification(samples: 4_000, features: 30, informative: 8, seed: 3)
            let learner = try RandomForestClassifier(trees: 64, seed: 11)
            let model = try await cluster.fit(learner, to: data)
            try await MLflow.run(experiment: "unused") { run in
                _ = try await run.register(model, as: "Digest")
            }
            let files = FileManager.default
            try? files.removeItem(atPath: options.output)
            try files.copyItem(atPath: "models/Digest/manta/model.manta", toPath: options.output)
        }
        """

    @Test("Bytes are equal for 1, 2 and 3 workers with 1 and 2 CPUs, an executor killed each time")
    func workers() async throws {
        let alone = try await aloneBytes()
        for workers in 1...3 {
            for cpus in 1...2 {
                let cluster = try await TestCluster.start(workers: workers, cpus: cpus)
                let model = cluster.folder + "/work/model.manta"
                let path = try cluster.write(Self.source, named: "digest.swift")
                async let finished = cluster.manta(
                    ["job", "submit", "--submission-id", "digest", path, "--", "--output", model])
                try await killOneExecutor(cluster)
                let output = try await finished
                #expect(output.exit == .code(0), "\(output.err)\n\(output.out)")
                let bytes = FileManager.default.contents(atPath: model)
                #expect(bytes == alone, "\(workers) workers, \(cpus) CPUs")
                let status = try await cluster.manta(["job", "status", "digest"]).out
                #expect(!status.contains(" 0 retried"), "no executor was killed in time: \(status)")
                await cluster.stop()
            }
        }
    }

    /// Without a cluster, on one and on two threads.
    private func aloneBytes() async throws -> Data {
        let cluster = try await TestCluster.start(workers: 1)
        let path = try cluster.write(Self.source, named: "digest.swift")
        let sdk = (Products.folder + "/../lib/manta-sdk" as NSString).standardizingPath
        let flags = try String(contentsOfFile: sdk + "/flags", encoding: .utf8)
            .split(separator: "\n").map { $0.replacingOccurrences(of: "@SDK@", with: sdk) }
        let binary = cluster.folder + "/work/alone"
        let compiled = try await CommandRun.run(
            "swiftc", flags + [path, "-o", binary], environment: cluster.environment,
            in: cluster.folder + "/work")
        try #require(compiled.exit.isSuccess, "\(compiled.err)")
        var all: [Data] = []
        for threads in 1...2 {
            var environment = cluster.environment
            environment["MANTA_THREADS"] = String(threads)
            let model = "\(cluster.folder)/work/alone-\(threads).manta"
            let output = try await CommandRun.run(
                binary, ["--output", model], environment: environment, in: cluster.folder + "/work")
            #expect(output.exit == .code(0), "\(output.err)")
            all.append(try #require(FileManager.default.contents(atPath: model)))
        }
        await cluster.stop()
        #expect(all[0] == all[1])
        return all[0]
    }

    /// kill -9 of the first executor that appears; its task runs again.
    private func killOneExecutor(_ cluster: TestCluster) async throws {
        try await eventually("an executor runs", within: .seconds(60)) {
            let pids = ProcessTable.pids(withVariable: "XDG_RUNTIME_DIR=\(cluster.folder)/run")
                .filter { ProcessTable.pids(withVariable: "MANTA_ROLE=executor").contains($0) }
                .filter { pid in
                    let path = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/exe")
                    return path?.contains("/blobs/") ?? false
                }
            guard let pid = pids.first else { return false }
            try await Task.sleep(for: .milliseconds(50))
            return kill(pid, SIGKILL) == 0
        }
    }
}
