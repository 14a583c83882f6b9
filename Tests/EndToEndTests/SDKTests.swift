import Foundation
import Testing

/// The SDK folder is complete: a job compiles and runs where nothing else of ours can be seen.
@Suite struct SDKTests {
    @Test("A job compiles and runs with only the SDK and the toolchain in sight")
    func isolated() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let sdk = (Products.folder + "/../lib/manta-sdk" as NSString).standardizingPath
        let copy = cluster.folder + "/sdk"
        try FileManager.default.copyItem(atPath: sdk, toPath: copy)
        let source = cluster.folder + "/work/alone.swift"
        try """
        import Foundation
        import Manta
        let double = RemoteTask("double") { (n: Int, _) async throws -> Int in 2 * n }
        try await runJob { cluster in
            let data = try makeClassification(samples: 200, features: 5, seed: 1)
            let model = try await cluster.fit(RandomForestClassifier(trees: 10, seed: 1), to: data)
            print(try await cluster.map(double, over: [1, 2]), model.featureNames.count)
        }
        """.write(toFile: source, atomically: true, encoding: .utf8)
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        // Checkout and build folder are covered by empty folders in a mount namespace of its own.
        let script = """
            set -e
            mount -t tmpfs none "\(repository)"
            test ! -d "\(Products.folder)" || mount -t tmpfs none "\(Products.folder)"
            test ! -e "\(repository)/Package.swift"
            test ! -e "\(Products.folder)/manta"
            swiftc $(sed 's|@SDK@|\(copy)|' "\(copy)/flags") alone.swift -o alone
            ./alone
            """
        let output = try await CommandRun.run(
            "unshare", ["--map-root-user", "--mount", "sh", "-c", script],
            environment: ProcessInfo.processInfo.environment, in: cluster.folder + "/work")
        #expect(output.exit == .code(0), "\(output.err)")
        #expect(output.out == "[2, 4] 5\n")
        await cluster.stop()
    }
}
