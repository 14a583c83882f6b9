import DecisionForests
import Foundation
import Synchronization
import Testing

@testable import Commands

/// The pieces of training that no whole command shows well.
@Suite struct TrainPartsTests {
    private func recipe(_ paths: String...) throws -> TrainingRecipe {
        TrainingRecipe(
            data: paths.map { TrainingRecipe.Part(path: $0, sha256: "ab", size: 1) }, target: "y",
            task: .automatic, seed: 1, learner: try LearnerSpec("forest"))
    }

    @Test("A recipe survives JSON; where the files lie is no part of its fingerprint")
    func recipes() throws {
        var recipe = try recipe("/a.csv")
        recipe.ignore = ["id"]
        recipe.trainRows = 7
        let read = try TrainingRecipe(json: Data(try recipe.json().utf8), from: "here")
        #expect(read == recipe)
        var moved = recipe
        moved.data[0].path = "/b.csv"
        #expect(try moved.fingerprint == recipe.fingerprint)
        moved.data[0].sha256 = "cd"
        #expect(try moved.fingerprint != recipe.fingerprint)
    }

    @Test(
        "A recipe that cannot be followed is refused",
        arguments: [
            ("\"version\":1", "\"version\":9"), ("\"train_rows\":7", "\"train_rows\":0"),
            ("\"train_rows\":7", "\"train_rows\":7,\"holdout\":0.5"),
            ("\"learner\":\"forest\"", "\"learner\":\"florist\""), ("\"seed\":1", "\"seed\":-1"),
            ("{", "["),
        ])
    func badRecipes(_ text: String, _ replacement: String) throws {
        var recipe = try recipe("/a.csv")
        recipe.trainRows = 7
        let json = try recipe.json().replacingOccurrences(of: text, with: replacement)
        #expect(throws: CommandFailure.self) {
            try TrainingRecipe(json: Data(json.utf8), from: "here")
        }
    }

    @Test("The progress line says how far, how good and how long still, in one place")
    func progress() {
        let written = Mutex<[String]>([])
        let start = ContinuousClock.now
        let line = ProgressLine("forest", isTerminal: true, started: start) { text in
            written.withLock { $0.append(text) }
        }
        let progress = FitProgress(done: 20, total: 100)
        #expect(line.text(progress, now: start + .seconds(5)) == "forest: 20/100, ETA 20 s")
        let booster = ProgressLine("boosted", isTerminal: true, started: start) { _ in }
        let resumed = FitProgress(done: 60, total: 100, resumed: 40)
        #expect(
            booster.text(resumed, now: start + .seconds(5))
                == "boosted: 60/100, resumed at round 40 of 100, ETA 10 s")
        #expect(
            line.text(FitProgress(done: 40, total: 100, resumed: 40), now: start + .seconds(5))
                == "forest: 40/100, resumed at tree 40 of 100")
        line.show(progress, now: start + .seconds(5))
        line.show(progress, now: start + .seconds(5.05))
        line.end()
        #expect(written.withLock { $0.count } == 2)
        #expect(written.withLock { $0.last } == "\r\u{1b}[K")
        let silent = ProgressLine("forest", isTerminal: false, started: start) { _ in
            Issue.record("something was written")
        }
        silent.show(progress)
        silent.end()
    }

    @Test("Long times are said in larger units")
    func times() {
        #expect(Figures.time(0.2) == "1 s" && Figures.time(125) == "2 min 5 s")
        #expect(Figures.time(7_800) == "2 h 10 min" && Figures.time(.infinity) == "long")
    }
}
