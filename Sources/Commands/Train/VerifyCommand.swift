import ArgumentParser
import DecisionForests
import Foundation
import MLflow
import ModelFormats

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Train a model again and compare it, byte for byte.",
        discussion: """
            manta verify iris-model
            manta verify 0a1b2c3d4e5f60718293a4b5c6d7e8f9 --data iris.csv
            """)

    @Argument(help: "A model directory, or the id of a run logged by `manta train --log`.")
    var subject: String

    @Option(
        parsing: .upToNextOption,
        help: "Where the data files are now, in their order; default: where they were.")
    var data: [String] = []

    @Option(help: "Threads to compute with; the model does not depend on it.")
    var threads = BinnedDataset.threadsDefault

    @Flag(help: "Print JSON.")
    var json = false

    /// What `--json` prints.
    private struct Report: Encodable {
        let identical: Bool
        let recorded: String
        let trained: String
        let differences: [String]
    }

    func validate() throws {
        guard (1...4_096).contains(threads) else {
            throw ValidationError("--threads must be in 1...4096, not \(threads).")
        }
    }

    func run() async throws {
        let environment = Environment.current()
        try environment.chooseKernels()
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("manta-verify-\(UUID().uuidString)").path
        let interruption = Interruption()
        try await interruption.during {
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            interruption.onFailure { try? FileManager.default.removeItem(atPath: scratch) }
            let recorded = try await RecordedModel.find(subject, environment)
            let recipe = try await onOwnThread { try recorded.recipe.located(at: data) }
            let outcome = try await onOwnThread { [threads] in
                var work = TrainingWork(recipe: recipe, threads: threads)
                work.judgesTraining = false
                return try work.run()
            }
            let manifest = try outcome.write(to: scratch, recipe: recorded.recipe)
            let trained = manifest.sha256(of: ModelDirectory.modelPath)?.hex ?? ""
            let isIdentical = trained == recorded.digest
            let differences =
                isIdentical
                ? [] : try await recorded.differences(from: outcome.model, environment)
            try say(
                Report(
                    identical: isIdentical, recorded: recorded.digest, trained: trained,
                    differences: differences))
        }
    }

    private func say(_ report: Report) throws {
        if json { try writeJSON(report) }
        if report.identical {
            if !json { writeOut("identical\nSHA-256 of model.manta: \(report.recorded)\n") }
            return
        }
        guard !json else { throw ExitCode(ExitStatus.failure) }
        writeOut("different\nrecorded: \(report.recorded)\ntrained:  \(report.trained)\n")
        for difference in report.differences { writeOut("- \(difference)\n") }
        throw ExitCode(ExitStatus.failure)
    }
}

extension TrainingRecipe {
    /// This recipe with its files where they are now.
    ///
    /// - Throws: for a file that is missing or does not have the recorded digest.
    func located(at paths: [String]) throws -> TrainingRecipe {
        let found = try Self.parts(of: paths.isEmpty ? data.map(\.path) : paths)
        guard found.count == data.count else {
            throw CommandFailure(
                "the model was trained on \(data.count) files; --data names \(found.count).")
        }
        for (recorded, now) in zip(data, found) {
            guard let digest = recorded.sha256 else {
                throw CommandFailure(
                    "\(recorded.path) was no regular file when it was read, so nobody can say "
                        + "whether \(now.path) holds the same.")
            }
            guard now.sha256 == digest else {
                throw CommandFailure(
                    "\(now.path) is not the file the model was trained on: its SHA-256 is "
                        + "\(now.sha256 ?? "unknown"), recorded is \(digest).")
            }
        }
        var located = self
        located.data = found
        return located
    }
}
