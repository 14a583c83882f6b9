import DecisionForests
import Foundation
import ModelFormats
import Processes
import Testing

@testable import Commands

@Suite("An interrupted `manta train` goes on to the bytes of an undisturbed one", .serialized)
struct CheckpointTests {
    let place: TestPlace
    let manta: MantaProgram

    init() throws {
        place = try TestPlace()
        manta = MantaProgram(place: place)
        try place.writeTable(rows: 2_000)
    }

    /// A training of enough rounds or trees to be interrupted in.
    enum Learner: String, CaseIterable {
        case boosted, forest, extra, oblique

        var arguments: [String] {
            let parameters =
                switch self {
                case .boosted:
                    // Chance of every kind, and figures to stop by.
                    [
                        "rounds=40", "subsample=0.6", "subsample_freq=3", "colsample_bytree=0.8",
                        "colsample_bylevel=0.8", "colsample_bynode=0.8", "train_metrics=true",
                        "early_stopping_round=15",
                    ]
                case .forest, .extra: ["trees=60"]
                case .oblique: ["trees=12", "max_depth=8"]
                }
            return ["--learner", rawValue] + parameters.flatMap { ["--param", $0] }
        }
    }

    private func arguments(
        _ learner: Learner, model: String, seed: Int = 3, _ more: String...
    ) -> [String] {
        [
            "train", "--data", "data.csv", "--target", "y", "--holdout", "0.2", "--json",
            "--seed", "\(seed)", "--model", model,
        ] + learner.arguments + more
    }

    private func checkpoints(in folder: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "\(place.path)/\(folder)")
        return (names ?? []).filter { $0.hasSuffix(".checkpoint") }.sorted()
    }

    /// Starts the training and ends it by this signal once it has kept something new; its exit.
    private func interrupt(
        _ arguments: [String], in folder: String, by signal: Int32
    ) async throws -> ProcessExit {
        let before = checkpoints(in: folder).count
        let process = try manta.start(arguments, saying: place.path + "/interrupted")
        let deadline = ContinuousClock.now + .seconds(60)
        while checkpoints(in: folder).count <= before {
            try #require(ContinuousClock.now < deadline, "nothing was kept")
            try await Task.sleep(for: .milliseconds(2))
        }
        process.signal(signal)
        return await process.wait()
    }

    @Test("Killed at several points, in any way", arguments: Learner.allCases)
    func killed(_ learner: Learner) async throws {
        let whole = try await manta.run(arguments(learner, model: "whole"))
        try #require(whole.code == 0, "\(whole)")
        var kept = 0
        for (turn, signal) in [SIGKILL, SIGTERM, SIGKILL, SIGINT].enumerated() {
            let exit = try await interrupt(
                arguments(
                    learner, model: "m", "--checkpoint", "kept", "--checkpoint-every",
                    "\(1 + turn % 2)", "--threads", "\(1 + turn % 2)"), in: "kept", by: signal)
            #expect(exit.shellCode == 128 + signal)
            #expect(checkpoints(in: "kept").count > kept)
            kept = checkpoints(in: "kept").count
            #expect(place.read("m/" + ModelDirectory.modelPath) == nil)
        }
        let resumed = try await manta.run(arguments(learner, model: "m", "--checkpoint", "kept"))
        try #require(resumed.code == 0, "\(resumed)")
        let model = place.read("whole/" + ModelDirectory.modelPath)
        #expect(model != nil && place.read("m/" + ModelDirectory.modelPath) == model)
        let (first, second) = (try whole.json(), try resumed.json())
        #expect(try #require(second["resumed_at"] as? Int) >= 4 && first["resumed_at"] == nil)
        #expect(first["digest"] as? String == second["digest"] as? String)
        #expect(first["best_round"] as? Int == second["best_round"] as? Int)
        #expect(
            first["metrics"] as? [String: Double] == second["metrics"] as? [String: Double])
        // A finished run leaves nothing of it behind.
        #expect(!FileManager.default.fileExists(atPath: place.path + "/kept"))
    }

    private func interrupted() async throws -> [String] {
        _ = try await interrupt(
            arguments(.boosted, model: "m", "--checkpoint", "kept", "--checkpoint-every", "2"),
            in: "kept", by: SIGKILL)
        return checkpoints(in: "kept")
    }

    private func resume(_ seed: Int = 3) async throws -> MantaProgram.Output {
        try await manta.run(arguments(.boosted, model: "m", seed: seed, "--checkpoint", "kept"))
    }

    @Test("A checkpoint of another training is refused, and stays for its own")
    func foreign() async throws {
        let kept = try await interrupted()
        let other = try await resume(4)
        #expect(other.code == 4 && other.err.contains("another training"), "\(other)")
        #expect(other.err.contains("--checkpoint"))
        let table = try #require(place.read("data.csv"))
        try place.writeTable(rows: 2_000, seed: 9)
        let data = try await resume()
        #expect(data.code == 4 && data.err.contains("another training"), "\(data)")
        #expect(checkpoints(in: "kept") == kept)
        try table.write(to: URL(fileURLWithPath: place.path + "/data.csv"))
        #expect(try await resume().code == 0)
    }

    @Test("A checkpoint that is damaged, cut off, missing or none is refused with what to do")
    func damaged() async throws {
        while try await interrupted().count < 3 {}
        let names = checkpoints(in: "kept")
        let second = "kept/\(names[1])"
        let good = try #require(place.read(second))
        var flipped = good
        flipped[good.count / 2] ^= 1
        var other = good
        other[10] ^= 1
        for (bytes, code) in [
            (flipped, Int32(1)), (good.dropLast(), 1), (good.prefix(5), 1), (Data(), 1), (other, 4),
        ] {
            try bytes.write(to: URL(fileURLWithPath: "\(place.path)/\(second)"))
            let said = try await resume()
            #expect(said.code == code && said.err.contains("emove"), "\(said)")
        }
        for gone in [names[1], names[0]] {
            try FileManager.default.removeItem(atPath: "\(place.path)/kept/\(gone)")
            let said = try await resume()
            #expect(said.code == 1 && said.err.contains("misses"), "\(said)")
        }
        #expect(place.read("m/" + ModelDirectory.modelPath) == nil)
    }

    @Test("What a dying process left half written is cleared away; others' files stay")
    func leftovers() async throws {
        try place.write("half", to: "kept/.trees-0000000000.checkpoint.partial")
        try place.write("mine", to: "kept/notes.txt")
        #expect(try await resume().code == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path + "/kept")
        #expect(names == ["notes.txt"])
    }

    @Test("One training at a time uses a folder")
    func held() async throws {
        let lock = try #require(FolderLock(place.path + "/kept", file: "train.lock"))
        let said = try await resume()
        #expect(said.code == 4 && said.err.contains("another training holds it"), "\(said)")
        withExtendedLifetime(lock) {}
    }

    @Test("A learner without checkpoints says so and trains")
    func linear() async throws {
        let said = try await manta(
            "train", "--data", "data.csv", "--target", "y", "--learner", "linear", "--model", "m",
            "--checkpoint", "kept")
        #expect(said.code == 0 && said.err.contains("keeps no checkpoints"), "\(said)")
        #expect(!FileManager.default.fileExists(atPath: place.path + "/kept"))
    }
}
