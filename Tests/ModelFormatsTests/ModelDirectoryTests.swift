import DecisionForests
import Foundation
import Testing

@testable import ModelFormats

@Suite("A model directory")
struct ModelDirectoryTests {
    private let folder: TemporaryFolder
    private let example = ModelExample(
        name: "", optional: ["feature_2"], classes: [.string("no"), .string("yes")])
    private let facts = MLmodelFacts(
        created: Date(timeIntervalSince1970: 1_795_224_059.175687),
        runID: "0123456789abcdef0123456789abcdef", modelID: "m-0123",
        artifactPath: "mlflow-artifacts:/4/models/m-0123/artifacts", mlflowVersion: "3.18.0")

    init() throws { folder = try TemporaryFolder() }

    @Test("It is read as it was written")
    func roundTrip() throws {
        let profile = try Self.profile(of: example)
        let manifest = try write(profile: profile)
        let loaded = try ModelDirectory.read(at: folder.path)
        #expect(loaded.model == example.model)
        #expect(loaded.signature == ModelSignature(of: example.model))
        #expect(loaded.sha256 == manifest.sha256(of: "manta/model.manta"))
        #expect(loaded.facts == facts)
        #expect(loaded.profile == profile)
    }

    @Test("The manifest lists every file with its size and digest, MLmodel last")
    func manifest() throws {
        let manifest = try write(profile: try Self.profile(of: example))
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { !$0.hasSuffix("manta") || $0.contains("/") }
        #expect(Set(paths) == Set(manifest.entries.map(\.path)))
        #expect(manifest.entries.last?.path == "MLmodel")
        for entry in manifest.entries {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(entry.path))))
            #expect(bytes.count == entry.sizeInBytes)
            #expect(FileDigest(of: bytes) == entry.sha256)
        }
        #expect(manifest.sizeInBytes > 0)
    }

    @Test("The same model and facts give the same directory")
    func isDeterministic() throws {
        #expect(try write() == write())
    }

    @Test("Without an example, one row of thresholds is the example")
    func exampleRow() throws {
        _ = try write()
        let data = try Data(contentsOf: URL(fileURLWithPath: path("input_example.json")))
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let rows = try #require(json["data"] as? [[Double]])
        #expect(rows.count == 1)
        #expect(rows[0].count == example.featureNames.count)
        #expect(rows[0].contains { $0 != 0 })
    }

    @Test("A missing value of the example is null, and a row of another width is refused")
    func examples() throws {
        _ = try ModelDirectory.write(
            example.model, to: folder.path, facts: facts,
            inputExample: [[.nan, 1, 2.5, -3, 1e-7, .infinity]])
        let text = try String(contentsOfFile: path("input_example.json"), encoding: .utf8)
        #expect(text.hasSuffix("\"data\": [[null, 1.0, 2.5, -3.0, 1e-07, null]]}"))
        #expect(throws: ModelDirectoryError.self) {
            try ModelDirectory.write(
                example.model, to: folder.path, facts: facts, inputExample: [[1]])
        }
    }

    @Test("Serving needs no model.onnx")
    func withoutONNX() throws {
        _ = try write()
        try FileManager.default.removeItem(atPath: path("model.onnx"))
        #expect(try ModelDirectory.read(at: folder.path).model == example.model)
    }

    @Test("A file that was exchanged is refused", arguments: ["model.onnx", "manta/model.manta"])
    func exchanged(_ file: String) throws {
        _ = try write()
        var other = example
        other.seed = 99
        let elsewhere = try TemporaryFolder()
        _ = try ModelDirectory.write(other.model, to: elsewhere.path, facts: facts)
        try FileManager.default.removeItem(atPath: path(file))
        try FileManager.default.copyItem(
            atPath: elsewhere.path + "/" + file, toPath: path(file))
        expectRefusal { if case .digestMismatch(file, _, _) = $0 { true } else { false } }
    }

    @Test("A damaged model is refused although MLmodel notes no digest")
    func damaged() throws {
        _ = try write()
        try edit("MLmodel") { $0.replacingOccurrences(of: "manta_model_sha256", with: "other") }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path("manta/model.manta")))
        bytes[500] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path("manta/model.manta")))
        expectRefusal {
            if case .modelFile(_, .checksumMismatch) = $0 { true } else { false }
        }
    }

    @Test("A signature of other columns is refused")
    func otherSignature() throws {
        _ = try write()
        try edit("MLmodel") { $0.replacingOccurrences(of: "feature_1", with: "column_1") }
        expectRefusal { if case .signatureMismatch = $0 { true } else { false } }
    }

    @Test("A flavor that is not read is named with what to do")
    func otherFlavor() throws {
        _ = try write()
        try FileManager.default.removeItem(atPath: path("manta"))
        expectRefusal {
            $0.description.contains("onnx, python_function") && $0.description.contains("Train it")
        }
    }

    @Test("A missing, oversized or strange MLmodel is refused")
    func strangeFiles() throws {
        expectRefusal { if case .missingFile = $0 { true } else { false } }
        _ = try write()
        try edit("MLmodel") { $0 + String(repeating: "#", count: MLmodelReader.sizeMax) }
        expectRefusal { if case .tooLarge = $0 { true } else { false } }
        try FileManager.default.removeItem(atPath: path("MLmodel"))
        try FileManager.default.createSymbolicLink(
            atPath: path("MLmodel"), withDestinationPath: "/etc/passwd")
        expectRefusal { if case .fileSystem = $0 { true } else { false } }
        try FileManager.default.removeItem(atPath: path("MLmodel"))
        #expect(mkfifo(path("MLmodel"), 0o600) == 0)
        expectRefusal { if case .fileSystem = $0 { true } else { false } }
        #expect(unlink(path("MLmodel")) == 0)
        try Data([0xFF, 0xFE]).write(to: URL(fileURLWithPath: path("MLmodel")))
        expectRefusal { if case .malformedMLmodel = $0 { true } else { false } }
    }

    @Test("A directory that cannot be written says so")
    func unwritable() throws {
        try Data().write(to: URL(fileURLWithPath: path("file")))
        #expect(throws: ModelDirectoryError.self) {
            try ModelDirectory.write(example.model, to: path("file/model"), facts: facts)
        }
    }

    @Test("A profile goes when the model is replaced by one without")
    func staleProfile() throws {
        _ = try write(profile: try Self.profile(of: example))
        #expect(try ModelDirectory.read(at: folder.path).profile != nil)
        _ = try write()
        #expect(try ModelDirectory.read(at: folder.path).profile == nil)
    }

    @Test("The example row of a model with names and truths has them, and gaps are null")
    func exampleOfOtherKinds() throws {
        let levels = FeatureKind.categorical(levels: ["red", "blue"])
        let other = ModelExample(
            name: "", featureNames: ["n", "b", "c"], kinds: [.numeric, .boolean, levels])
        _ = try ModelDirectory.write(
            other.model, to: folder.path, facts: facts,
            inputExample: [[1.5, 1, 1], [.nan, .nan, .nan], [0, 0, 2]])
        let text = try String(contentsOfFile: path("input_example.json"), encoding: .utf8)
        #expect(
            text.hasSuffix(
                #""data": [[1.5, true, "blue"], [null, null, null], [0.0, false, null]]}"#))
    }

    @Test("A profile of other features is refused")
    func otherProfile() throws {
        _ = try write(profile: TrainingProfile(of: Self.dataset(["x"])))
        expectRefusal { $0.description.contains("profile.json") }
    }

    @Test("The packages a directory asks for are those the tests ran with")
    func pins() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let pins = try String(
            contentsOf: root.appendingPathComponent("script/requirements.txt"), encoding: .utf8)
        let writer = MLmodelWriter(
            facts: MLmodelFacts(created: Date()), signature: ModelSignature(of: example.model),
            modelDigest: .none)
        let asked = writer.requirements.split(separator: "\n")
        #expect(asked.count == 3)
        #expect(Set(asked).isSubset(of: pins.split(separator: "\n")))
    }

    private static func profile(of example: ModelExample) throws -> TrainingProfile {
        TrainingProfile(of: try dataset(example.featureNames))
    }

    private static func dataset(_ names: [String]) throws -> Dataset {
        try Dataset(
            columns: names.indices.map { [Float($0), .nan, 2] }, featureNames: names,
            target: .values([1, 2, 3]), targetName: "target")
    }

    private func write(profile: TrainingProfile? = nil) throws -> ModelDirectoryManifest {
        try ModelDirectory.write(example.model, to: folder.path, facts: facts, profile: profile)
    }

    private func path(_ file: String) -> String { folder.path + "/" + file }

    private func edit(_ file: String, _ change: (String) -> String) throws {
        let text = try String(contentsOfFile: path(file), encoding: .utf8)
        try change(text).write(toFile: path(file), atomically: true, encoding: .utf8)
    }

    private func expectRefusal(where isExpected: (ModelDirectoryError) -> Bool) {
        do {
            _ = try ModelDirectory.read(at: folder.path)
            Issue.record("read although it should not be")
        } catch {
            #expect(isExpected(error), "\(error)")
        }
    }
}
