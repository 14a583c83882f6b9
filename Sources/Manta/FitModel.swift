import DecisionForests
import Foundation
import ModelFormats
import Synchronization

/// A whole fit: the input of the built-in task "fitModel".
struct FitModelInput: Codable, Sendable {
    var learner: AnyLearner
    /// `Dataset.encoded()`.
    var dataset: BlobReference
    /// The same of the rows to stop early by.
    var validation: BlobReference?
}

/// What a fit leaves: the output of the built-in task "fitModel".
struct FitModelOutput: Codable, Sendable {
    /// `model.manta`.
    var model: Data
    var history: FitHistory
}

/// Fits a model in one process, with all its threads: the built-in task behind `Cluster.fit` for
/// learners whose model grows as one.
enum FitModel {
    static let task = RemoteTask("fitModel") {
        (input: FitModelInput, context) async throws -> FitModelOutput in
        let dataset = try await LoadedData.shared.dataset(input.dataset, context)
        var validation: Dataset?
        if let reference = input.validation {
            validation = try await LoadedData.shared.dataset(reference, context)
        }
        let recorder = FitRecorder(input.learner.learner.name)
        let model = try recorder.fit(
            input.learner.learner, to: dataset, validation: validation, threads: context.threads)
        return FitModelOutput(model: Data(try ModelFile.encode(model)), history: recorder.history)
    }
}

/// The figures that a fit told while it went on.
struct FitHistory: Codable, Sendable, Hashable {
    struct Round: Codable, Sendable, Hashable {
        /// Rounds that were done: 1 for the first.
        var number: Int
        /// Milliseconds since 1970 when they were. MLflow tells entries apart by it too, so it
        /// is kept with the result: a restarted driver that logs the same entries again adds
        /// nothing.
        var time: Int64
        var names: [String]
        var values: [Double]
    }

    var rounds: [Round] = []
}

/// Looks on while a model is fitted: keeps the figures, moves a progress line, and ends the fit
/// when its task is cancelled.
final class FitRecorder: Sendable {
    private struct State {
        var history = FitHistory()
        var progress: Progress?
    }

    private let name: String
    private let now: @Sendable () -> Date
    private let state = Mutex(State())

    /// - Parameter name: what the progress line begins with.
    init(_ name: String, now: @escaping @Sendable () -> Date = { Date() }) {
        self.name = name
        self.now = now
    }

    /// The figures so far.
    var history: FitHistory { state.withLock { $0.history } }

    func fit(
        _ learner: any Learner, to dataset: Dataset, validation: Dataset?, threads: Int
    ) throws -> TrainedModel {
        defer { state.withLock { $0.progress }?.end() }
        return try learner.fit(
            dataset, validation: validation, threads: threads, observer: { try self.note($0) })
    }

    func note(_ news: FitProgress) throws {
        try Task.checkCancellation()
        let time = Int64((now().timeIntervalSince1970 * 1_000).rounded())
        let progress = state.withLock { state in
            if !news.metrics.isEmpty {
                state.history.rounds.append(
                    FitHistory.Round(
                        number: news.done, time: time, names: news.metrics.map(\.name),
                        values: news.metrics.map(\.value)))
            }
            let progress = state.progress ?? Progress(name, total: news.total)
            state.progress = progress
            return progress
        }
        progress.move(to: news.done)
    }
}
