import Foundation
import MLflow
import ModelFormats
import TestSupport
import Testing

@testable import Commands

@Suite struct VerifyCommandTests {
    let place: TestPlace
    var manta: MantaProgram

    init() throws {
        place = try TestPlace()
        manta = MantaProgram(place: place)
        try place.writeTable()
    }

    private func train(_ more: String...) async throws -> MantaProgram.Output {
        try await manta.run(
            [
                "train", "--data", "data.csv", "--target", "y", "--param", "trees=8", "--holdout",
                "0.2", "--json", "--model",
            ] + more)
    }

    @Test("The same recipe and data give the same bytes, wherever the data lies")
    func identical() async throws {
        #expect(try await train("m").code == 0)
        let said = try await manta("verify", "m", "--threads", "1")
        #expect(said.code == 0 && said.out.hasPrefix("identical\n"), "\(said)")
        try FileManager.default.moveItem(
            atPath: place.path + "/data.csv", toPath: place.path + "/moved.csv")
        #expect(try await manta("verify", "m").code == 3)
        let moved = try await manta("verify", "m", "--data", "moved.csv", "--json")
        #expect(moved.code == 0)
        #expect(try moved.json()["identical"] as? Bool == true)
    }

    @Test("Data that has changed is refused with both digests")
    func changedData() async throws {
        #expect(try await train("m").code == 0)
        try place.writeTable(rows: 239)
        let said = try await manta("verify", "m")
        #expect(said.code == 1 && said.err.contains("data.csv is not the file"), "\(said)")
    }

    @Test("Another recipe is found out, and what differs is named")
    func changedRecipe() async throws {
        #expect(try await train("m", "--seed", "4").code == 0)
        let recipe = try #require(place.read("m/" + TrainingRecipe.path))
        let text = String(decoding: recipe, as: UTF8.self)
            .replacingOccurrences(of: "\"random_state\":\"4\"", with: "\"random_state\":\"5\"")
        try place.write(text, to: "m/" + TrainingRecipe.path)
        let said = try await manta("verify", "m")
        #expect(said.code == 1 && said.out.contains("random_state: recorded 4, trained 5"))
        #expect(said.out.contains("tree 0 is the first that differs"), "\(said)")
    }

    @Test("A model without a recipe, and a subject that is none, are told apart")
    func notThere() async throws {
        #expect(try await train("m").code == 0)
        try FileManager.default.removeItem(atPath: place.path + "/m/" + TrainingRecipe.path)
        #expect(try await manta("verify", "m").code == 1)
        #expect(try await manta("verify", "neither").code == 3)
    }

    @Test("A logged run holds all that verify needs to train again")
    mutating func logged() async throws {
        let server = try await MLflowServer.shared()
        manta.environment["MLFLOW_TRACKING_URI"] = server.url
        let (name, experiment) = (MLflowServer.unique("Verified"), MLflowServer.unique("verify"))
        let trained = try await train(
            "m", "--log", "--experiment", experiment, "--register", name)
        try #require(trained.code == 0, "\(trained)")
        let report = try trained.json()
        let tracking = try #require(report["tracking"] as? [String: String])
        let id = try #require(tracking["run_id"])

        let client = MLflowClient(try MLflowConfiguration(trackingURI: server.url))
        let run = try await client.run(id: id)
        #expect(run.status == .finished && run.parameters["n_estimators"] == "8")
        #expect(run.tags[TrainingLog.digestTag] == report["digest"] as? String)
        let metrics = try #require(report["metrics"] as? [String: Double])
        #expect(run.metrics.first { $0.key == "holdout_accuracy" }?.value == metrics["accuracy"])
        let data = try TrainingRecipe.Part(of: place.path + "/data.csv")
        #expect(run.inputs.first?.digest == data.sha256.map { String($0.prefix(32)) })
        let version = try await client.modelVersion(named: name, version: "1")
        #expect(version.runID == id)

        let verified = try await manta("verify", id)
        #expect(verified.code == 0 && verified.out.hasPrefix("identical\n"), "\(verified)")
        // The registered model is the local one.
        try await client.downloadModel(version, to: place.path + "/registered")
        let loaded = try ModelDirectory.read(at: place.path + "/registered")
        #expect(loaded.sha256.hex == report["digest"] as? String)
        #expect(try await manta("verify", "registered").code == 0)
        try place.writeTable(seed: 2)
        #expect(try await manta("verify", id).code == 1)
        #expect(try await manta("verify", String(repeating: "0", count: 32)).code == 3)
    }
}
