import DecisionForests
import Foundation
import TestSupport
import Testing

@testable import Serving

/// Clients that others wrote, against a running gateway.
@Suite struct StockClientTests {
    /// Two models with the columns x, y and the optional z; `Words` answers texts.
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        try folder.add(
            TestModels.classifier(classes: [.string("no"), .string("yes")]), as: "Words",
            version: 3)
        return folder
    }

    /// Runs a script of `Tests/Fixtures/serving` against a gateway that serves `Iris`.
    static func run(_ name: String) async throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fixtures/serving/\(name).py")
        let script = try String(contentsOf: path, encoding: .utf8)
        try await RunningGateway.with(try folder(), load: ModelSelector(name: "Iris")) { gateway in
            let text = try await Python.run(
                "import sys\nsys.argv[1:] = ['\(gateway.port)']\n" + script)
            #expect(text.hasSuffix("all well\n"), "\(text)")
        }
    }

    @Test("tritonclient describes, infers in binary and JSON, loads, unloads and reads statistics")
    func triton() async throws {
        try await Self.run("triton_client")
    }

    @Test("MLflow's own client scores frames and arrays, and its payloads as JSON and CSV pass")
    func mlflow() async throws {
        try await Self.run("mlflow_client")
    }

    @Test("KServe's first protocol over plain HTTP")
    func kserve() async throws {
        try await Self.run("kserve_client")
    }
}
