import DecisionForests
import Foundation
import ModelFormats
import Processes
import Testing

@testable import Commands

@Suite struct TrainCommandTests {
    let place: TestPlace
    let manta: MantaProgram

    init() throws {
        place = try TestPlace()
        manta = MantaProgram(place: place)
        try place.writeTable()
    }

    private func train(_ more: String...) async throws -> MantaProgram.Output {
        try await manta.run(
            ["train", "--data", "data.csv", "--target", "y", "--param", "trees=12"] + more)
    }

    @Test("A training prints its figures as JSON and writes a whole model directory")
    func trains() async throws {
        let said = try await train("--holdout", "0.25", "--model", "out/m", "--json")
        try #require(said.code == 0, "\(said)")
        #expect(said.err.isEmpty)
        let report = try said.json()
        #expect(report["learner"] as? String == "forest")
        #expect((report["parameters"] as? [String: String])?["n_estimators"] == "12")
        #expect(report["rows"] as? Int == 180 && report["holdout_rows"] as? Int == 60)
        #expect(report["features"] as? Int == 4)
        for name in ["fit_seconds", "read_seconds", "cpu_seconds", "peak_memory_bytes"] {
            #expect(try #require(report[name] as? Double) > 0, "\(name)")
        }
        let metrics = try #require(report["metrics"] as? [String: Double])
        #expect(try #require(metrics["accuracy"]) > 0.7)
        #expect((report["training_metrics"] as? [String: Double])?["accuracy"] == 1)
        let loaded = try ModelDirectory.read(at: place.path + "/out/m")
        #expect(report["digest"] as? String == loaded.sha256.hex)
        #expect(loaded.profile?.rowCount == 180)
        #expect(place.read("out/m/input_example.json") != nil)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path + "/out")
        #expect(names == ["m"])
    }

    @Test("Threads change no byte; the seed does")
    func determinism() async throws {
        var digests: [String] = []
        for (index, more) in [["1", "5"], ["3", "5"], ["1", "6"]].enumerated() {
            let said = try await train(
                "--threads", more[0], "--seed", more[1], "--model", "m\(index)", "--json")
            digests.append(try #require(try said.json()["digest"] as? String))
        }
        #expect(digests[0] == digests[1] && digests[0] != digests[2])
    }

    @Test("The first rows train and the others judge, as evaluate finds too")
    func trainRows() async throws {
        let said = try await train("--train-rows", "200", "--model", "m", "--json")
        let report = try said.json()
        #expect(report["rows"] as? Int == 200 && report["holdout_rows"] as? Int == 40)
        let lines = try #require(place.read("data.csv").map { String(decoding: $0, as: UTF8.self) })
            .split(separator: "\n")
        try place.write(
            ([lines[0]] + lines.suffix(40)).joined(separator: "\n") + "\n", to: "rest.csv")
        let judged = try await manta("evaluate", "--model", "m", "--data", "rest.csv", "--json")
        let figures = try judged.json()
        #expect(figures["metrics"] as? [String: Double] == report["metrics"] as? [String: Double])
        let confusion = try #require(figures["confusion"] as? [[Int]])
        #expect(confusion.flatMap { $0 }.reduce(0, +) == 40)
        let table = try await manta("evaluate", "--model", "m", "--data", "rest.csv")
        #expect(table.out.contains("accuracy") && table.out.contains("TRUTH \\ ANSWER  no"))
    }

    @Test("Parts, words, weights and columns left out are read as told")
    func columns() async throws {
        var chance = SeededChance(3)
        for part in ["a", "b"] {
            var lines = ["id,colour,size,count,y"]
            for row in 0..<90 {
                let colour = ["red", "green", "blue"][row % 3]
                let size = Float.random(in: 0...1, using: &chance)
                let answer = (colour == "red") == (size > 0.5) ? "on" : "off"
                lines.append("\(part)\(row),\(colour),\(size),\(1 + row % 2),\(answer)")
            }
            try place.write(lines.joined(separator: "\n") + "\n", to: "parts/\(part).csv")
        }
        let said = try await manta(
            "train", "--data", "parts/a.csv", "parts/b.csv", "--target", "y", "--ignore", "id",
            "--weight", "count", "--param", "trees=20", "--holdout", "0.2", "--model", "m",
            "--json")
        try #require(said.code == 0, "\(said)")
        let report = try said.json()
        #expect(report["rows"] as? Int == 144 && report["features"] as? Int == 2)
        #expect(try #require((report["metrics"] as? [String: Double])?["accuracy"]) > 0.8)
        let summary = try await manta("inspect", "m", "--json").json()
        let features = try #require(summary["features"] as? [[String: Any]])
        #expect(features.first?["kind"] as? String == "categorical")
        let levels = try #require(features.first?["levels"] as? [String])
        #expect(Set(levels) == ["red", "green", "blue"])
        // The model's levels are found by name, wherever they stand; an unknown one is missing.
        try place.write(
            "y,size,colour\non,0.9,red\noff,0.1,red\noff,0.9,violet\n", to: "new.csv")
        let judged = try await manta("evaluate", "--model", "m", "--data", "new.csv", "--json")
        #expect(judged.code == 0, "\(judged)")
        #expect(try judged.json()["rows"] as? Int == 3)
        #expect(try await manta("verify", "m").code == 0)
        // A folder is its files in the order of their names.
        #expect(try await manta("verify", "m", "--data", "parts").code == 0)
    }

    @Test("Every learner trains, is written, judged and repeated")
    func learners() async throws {
        for kind in LearnerKind.all {
            let folder = "model-\(kind.name)"
            let said = try await manta(
                "train", "--data", "data.csv", "--target", "y", "--learner", kind.name,
                "--holdout", "0.25", "--model", folder, "--json")
            try #require(said.code == 0, "\(kind.name): \(said)")
            let metrics = try #require(try said.json()["metrics"] as? [String: Double])
            #expect(try #require(metrics["roc_auc"]) > 0.7, "\(kind.name)")
            let binning = try #require(try said.json()["binning_seconds"] as? Double)
            #expect((binning > 0) == ["forest", "extra", "boosted"].contains(kind.name))
            let verified = try await manta("verify", folder, "--threads", "2")
            #expect(verified.code == 0, "\(kind.name): \(verified)")
            #expect(try await manta("inspect", folder).code == 0)
        }
    }

    @Test("What is there is replaced only if it is a model and --force is given")
    func replacing() async throws {
        #expect(try await train("--model", "m").code == 0)
        let first = place.read("m/" + ModelDirectory.modelPath)
        let refused = try await train("--model", "m", "--seed", "2")
        #expect(refused.code == 4 && refused.err.contains("--force"))
        #expect(place.read("m/" + ModelDirectory.modelPath) == first)
        #expect(try await train("--model", "m", "--seed", "2", "--force").code == 0)
        #expect(place.read("m/" + ModelDirectory.modelPath) != first)
        try place.write("mine", to: "notes/important.txt")
        #expect(try await train("--model", "notes", "--force").code == 4)
        #expect(place.read("notes/important.txt") == Data("mine".utf8))
    }

    @Test("Ctrl-C ends within a second with 130 and leaves nothing behind")
    func interrupt() async throws {
        try place.writeTable("big.csv", rows: 20_000)
        let process = try manta.start(
            [
                "train", "--data", "big.csv", "--target", "y", "--param", "trees=100000",
                "--model", "models/m",
            ], saying: place.path + "/said")
        // The folder is there from the start; by then the process listens to signals.
        let folder = place.path + "/models"
        let deadline = ContinuousClock.now + .seconds(30)
        while (try? FileManager.default.contentsOfDirectory(atPath: folder))?.isEmpty != false {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(20))
        }
        try await Task.sleep(for: .milliseconds(500))
        let start = ContinuousClock.now
        process.signal(SIGINT)
        let exit = await process.wait()
        #expect(exit == .code(130) && ContinuousClock.now - start < .seconds(1))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("Data that cannot be used is exit code 1 with file and line; a missing file is 3")
    func badData() async throws {
        try place.write("a,y\n1,no\n2\n", to: "bad.csv")
        let bad = try await manta(
            "train", "--data", "bad.csv", "--target", "y", "--model", "m")
        #expect(bad.code == 1 && bad.err.contains("bad.csv, line 3"), "\(bad)")
        let missing = try await manta(
            "train", "--data", "none.csv", "--target", "y", "--model", "m")
        #expect(missing.code == 3 && missing.err.contains("none.csv"))
        let target = try await manta(
            "train", "--data", "data.csv", "--target", "z", "--model", "m")
        #expect(target.code == 1 && target.err.contains("'z'"))
        // Nothing of the attempts is left.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: place.path)
                .filter { $0.hasSuffix(".partial") }.isEmpty)
    }

    @Test("A value out of range and a build that nobody has are usage errors")
    func badValues() async throws {
        let value = try await manta(
            "train", "--data", "data.csv", "--target", "y", "--param", "trees=0", "--model", "m")
        #expect(value.code == 2 && value.err.contains("trees"))
        var other = manta
        other.environment["MANTA_KERNELS"] = "avx9"
        let kernels = try await other(
            "train", "--data", "data.csv", "--target", "y", "--model", "m")
        #expect(kernels.code == 2 && kernels.err.contains("MANTA_KERNELS"))
        other.environment["MANTA_KERNELS"] = "baseline"
        #expect(
            try await other("train", "--data", "data.csv", "--target", "y", "--model", "m").code
                == 0)
    }

    @Test("--param help lists every parameter of the learner")
    func parameterHelp() async throws {
        let said = try await manta("train", "--learner", "forest", "--param", "help")
        #expect(said.code == 0)
        for name in ["n_estimators", "max_depth", "num_trees", "random_state"] {
            #expect(said.out.contains(name))
        }
    }

    @Test(
        "Wrong usage is exit code 2",
        arguments: [
            ["--target", "y", "--model", "m"], ["--data", "a.csv", "--model", "m"],
            ["--data", "a.csv", "--target", "y"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--learner", "florist"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--param", "tress=5"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--param", "trees"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--holdout", "1.5"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--holdout", "nan"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--train-rows", "0"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--threads", "0"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--register", "X"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--checkpoint-every", "5"],
            ["--data", "a.csv", "--target", "y", "--model", "m", "--checkpoint", "m/../m/c"],
            [
                "--data", "a.csv", "--target", "y", "--model", "m", "--checkpoint", "c",
                "--checkpoint-every", "0",
            ],
            [
                "--data", "a.csv", "--target", "y", "--model", "m", "--holdout", "0.2",
                "--train-rows", "5",
            ],
        ])
    func usage(_ arguments: [String]) async {
        let ending = await CommandLineTool.ending(of: ["manta", "train"] + arguments)
        #expect(ending.code == 2, "\(ending)")
        #expect(!ending.errorOutput.isEmpty)
    }

    @Test("An unknown parameter is answered with the nearest one")
    func nearest() async {
        let ending = await CommandLineTool.ending(
            of: [
                "manta", "train", "--data", "a.csv", "--target", "y", "--model", "m", "--param",
                "max_dept=5",
            ])
        #expect(ending.errorOutput.contains("did you mean 'max_depth'"))
    }
}
