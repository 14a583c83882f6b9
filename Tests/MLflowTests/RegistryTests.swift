import Foundation
import TestSupport
import Testing

@testable import MLflow

/// Logged models, registered models, versions and their files on the real server.
@Suite struct RegistryTests {
    @Test("A model goes from its directory to the registry and back")
    func wholeLife() async throws {
        let client = try await realClient()
        let recorder = RunRecorder(client)
        let name = MLflowServer.unique("it's a model")
        var options = RunRecorder.Options()
        options.experiment = MLflowServer.unique("models")
        let version = try await withFolder { folder in
            try await recorder.run(options) { run in
                let model = try await run.logModel(
                    NewLoggedModel(name: "model", modelType: "classifier", parameters: ["n": "7"])
                ) { info in
                    #expect(info.runID == run.id)
                    let modelID = try #require(info.modelID)
                    #expect(info.artifactPath.contains(modelID))
                    try write("model_id: \(modelID)", to: folder + "/MLmodel")
                    try write("", to: folder + "/empty file.txt")
                    try write(
                        String(repeating: "x", count: 3_000_000), to: folder + "/a/b/c+d &ü.bin")
                    return folder
                }
                #expect(model.status == .ready)
                #expect(model.parameters == ["n": "7"])
                let stored = try await client.run(id: run.id)
                #expect(stored.modelIDs == [model.id])
                return try await run.register(model, as: name, aliases: ["champion"])
            }
        }
        #expect(version.version == "1" && version.status == .ready)
        #expect(
            version.source == "models:/"
                + (version.modelID ?? version.source.dropFirst(8).description))
        try await checkLookUps(client, version)
        try await withFolder { folder in
            try await client.downloadModel(version, to: folder + "/deep/copy")
            let copy = folder + "/deep/copy/"
            #expect(
                try String(contentsOfFile: copy + "MLmodel", encoding: .utf8).hasPrefix(
                    "model_id: m-"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: copy + "empty file.txt")).isEmpty)
            let large = try Data(contentsOf: URL(fileURLWithPath: copy + "a/b/c+d &ü.bin"))
            #expect(large.count == 3_000_000)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder + "/deep") == ["copy"])
        }
    }

    private func checkLookUps(_ client: MLflowClient, _ version: ModelVersion) async throws {
        let byAlias = try await client.modelVersion(named: version.name, alias: "champion")
        #expect(byAlias.version == "1" && byAlias.aliases == ["champion"])
        #expect(try await client.latestVersion(of: version.name)?.version == "1")
        #expect(
            try await client.modelVersion(named: version.name, version: "1").source
                == version.source)
        let registered = try await client.registeredModels()
        #expect(registered.contains { $0.name == version.name && $0.aliases == ["champion": "1"] })
        #expect(
            await kind { try await client.modelVersion(named: version.name, alias: "none") }
                == .notFound)
        try await client.deleteAlias("champion", of: version.name)
        #expect(try await client.findRegisteredModel(named: version.name)?.aliases == [:])
    }

    @Test("Sixteen who register a new name at once get the same model")
    func nameRace() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("race")
        let names = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 {
                group.addTask { try await client.registerModel(named: name).name }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(names == Array(repeating: name, count: 16))
    }

    @Test("A restarted driver makes no second run, model or version")
    func effectOnce() async throws {
        let name = MLflowServer.unique("once")
        var options = RunRecorder.Options()
        options.experiment = name
        options.effectKey = name + "/train"
        let choices = options
        var seen: Set<[String]> = []
        for round in 0..<3 {
            let client = try await realClient()
            let found = try await withFolder { folder in
                try write("flavors: {}", to: folder + "/MLmodel")
                return try await RunRecorder(client).run(choices) { run in
                    let model = try await run.logModel(NewLoggedModel(name: "m")) { _ in
                        #expect(round == 0, "a finished model is not written again")
                        return folder
                    }
                    let version = try await run.register(model, as: name)
                    return [run.id, model.id ?? "", version.version]
                }
            }
            seen.insert(found)
        }
        #expect(seen.count == 1)
        let client = try await realClient()
        #expect(try await client.searchModelVersions(named: name).count == 1)
    }

    @Test("A model whose writing fails is marked, and the error is the writer's")
    func failedModel() async throws {
        struct Broken: Error {}
        let client = try await realClient()
        let run = try await newRun(client)
        let active = ActiveRun(run, client: client, effectKey: nil, interval: .seconds(60))
        await #expect(throws: Broken.self) {
            try await active.logModel(NewLoggedModel(name: "m")) { _ in throw Broken() }
        }
        let models = try await client.searchLoggedModels(experimentID: run.experimentID)
        #expect(models.map(\.status) == [.failed])
    }

    @Test("Versions count up; the latest is the highest, also beyond nine")
    func latest() async throws {
        let client = try await realClient()
        let name = MLflowServer.unique("many")
        let run = try await newRun(client)
        _ = try await client.registerModel(named: name)
        let source = try #require(run.artifactURI) + "/model"
        for _ in 0..<11 {
            _ = try await client.createModelVersion(
                NewModelVersion(name: name, source: source, runID: run.id))
        }
        #expect(try await client.latestVersion(of: name)?.version == "11")
        let tenth = try await client.modelVersion(named: name, version: "10")
        try await client.setAlias("champion", to: tenth)
        try await client.setTag("checked", to: "yes", on: tenth)
        #expect(
            try await client.modelVersion(named: name, alias: "champion").tags["checked"] == "yes")
        let uri = try ModelURI("models:/\(name)@champion")
        #expect(try await client.modelVersion(uri)?.version == "10")
        #expect(try await client.artifactURI(of: uri) == source)
        #expect(try await client.modelVersion(ModelURI("models:/\(name)/latest"))?.version == "11")
    }

    @Test("A model put among the run's artifacts is found by runs:/ and by its version")
    func runArtifacts() async throws {
        let client = try await realClient()
        let run = try await newRun(client)
        let root = try #require(run.artifactURI)
        try await withFolder { folder in
            try write("hello", to: folder + "/in/MLmodel")
            try await client.uploadDirectory(
                folder + "/in", to: root, below: try ArtifactPath("m/1"))
            let uri = try await client.artifactURI(of: ModelURI("runs:/\(run.id)/m/1"))
            try await client.downloadDirectory(of: uri, to: folder + "/out")
            #expect(try String(contentsOfFile: folder + "/out/MLmodel", encoding: .utf8) == "hello")
            #expect(
                await kind { try await client.downloadDirectory(of: uri, to: folder + "/out") }
                    == .fileFailed, "a full folder is not replaced")
        }
        #expect(
            await kind { try await client.artifactURI(of: ModelURI("runs:/\(run.id)/none")) }
                == .notFound)
        let top = try await client.listArtifacts(of: root)
        #expect(top.map(\.path.text) == ["m"] && top.map(\.isFolder) == [true])
    }

    @Test("A failed upload leaves the model marked and a later one completes it")
    func resumedUpload() async throws {
        let client = try await realClient()
        let run = try await newRun(client)
        let active = ActiveRun(
            run, client: client, effectKey: "k-" + run.id, interval: .seconds(60))
        struct Killed: Error {}
        _ = try? await active.logModel(NewLoggedModel(name: "m")) { _ in throw Killed() }
        let model = try await withFolder { folder in
            try write("x", to: folder + "/MLmodel")
            return try await active.logModelDirectory(folder, as: NewLoggedModel(name: "m"))
        }
        #expect(model.status == .ready)
        #expect(try await client.searchLoggedModels(experimentID: run.experimentID).count == 1)
    }
}
