import DecisionForests
import Foundation
import ModelFormats
import Synchronization

/// A whole fit, or a turn of one: the input of the built-in task "fitModel".
struct FitModelInput: Codable, Sendable {
    var learner: AnyLearner
    /// `Dataset.encoded()`.
    var dataset: BlobReference
    /// The same of the rows to stop early by.
    var validation: BlobReference?
    /// What "binDataset" made for a booster: every process of a machine maps the same file.
    var bins: BlobReference?
    /// What the turns before this one finished: `FitCheckpoint.encoded()`, in order.
    var earlier: [Data] = []
    /// How long a booster adds rounds before it hands back what it has, in seconds.
    var secondsMax = seconds(ofTurn: 0)

    /// Turns grow longer: a lost executor takes at most half as much along as was done before, and
    /// what a turn needs to get going (scores so far) stays a small part.
    static func seconds(ofTurn turn: Int) -> Double {
        min(600, 30 * pow(1.5, Double(min(turn, 20))))
    }
}

/// What a turn of a fit leaves: the output of the built-in task "fitModel".
struct FitModelOutput: Codable, Sendable {
    enum End: Codable, Sendable {
        /// `model.manta`.
        case finished(model: Data)
        /// `FitCheckpoint.encoded()` of this turn's rounds.
        case paused(Data)
    }

    var end: End
    /// The figures of this turn's rounds.
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
        let learner = input.learner.learner
        var course = FitCourse()
        if let bins = input.bins {
            course.bins = try await LoadedData.shared.binned(.bins(bins), context)
        }
        course.earlier = try FitCheckpoint(
            joining: input.earlier.map { try FitCheckpoint(decoding: [UInt8]($0)) })
        let recorder = FitRecorder(learner.name, secondsMax: input.secondsMax)
        do {
            let model = try recorder.fit(
                learner, to: dataset, validation: validation, threads: context.threads,
                course: course)
            return FitModelOutput(
                end: .finished(model: Data(try ModelFile.encode(model))),
                history: recorder.history)
        } catch is FitRecorder.TurnIsOver {
            let rounds = try FitCheckpoint(joining: recorder.kept)?.encoded() ?? []
            return FitModelOutput(end: .paused(Data(rounds)), history: recorder.history)
        }
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

/// Looks on while a model is fitted: keeps the figures, moves a progress line, ends the fit when
/// its task is cancelled, and breaks a booster's off when its turn is over.
final class FitRecorder: Sendable {
    /// What ends a fit that goes on in another turn.
    struct TurnIsOver: Error {}

    private struct State {
        var history = FitHistory()
        var progress: Progress?
        var kept: [FitCheckpoint] = []
        /// When the first round of its own was done.
        var started: Date?
    }

    private let name: String
    private let secondsMax: Double
    private let now: @Sendable () -> Date
    private let state = Mutex(State())

    /// - Parameters:
    ///   - name: what the progress line begins with.
    ///   - secondsMax: how long after its first round a booster's turn is over.
    init(
        _ name: String, secondsMax: Double = .infinity,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        (self.name, self.secondsMax) = (name, secondsMax)
        self.now = now
    }

    /// The figures so far.
    var history: FitHistory { state.withLock { $0.history } }

    /// What was finished in this turn.
    var kept: [FitCheckpoint] { state.withLock { $0.kept } }

    /// - Throws: `TurnIsOver` when a booster's turn is over before its fit.
    func fit(
        _ learner: any Learner, to dataset: Dataset, validation: Dataset?, threads: Int,
        course given: FitCourse = FitCourse()
    ) throws -> TrainedModel {
        defer { state.withLock { $0.progress }?.end() }
        if let learner = learner as? any BoostingLearner {
            var course = given
            course.observer = { try self.note($0) }
            if secondsMax < .infinity {
                course.interval = 1
                course.keep = { part in self.state.withLock { $0.kept.append(part) } }
            }
            return try learner.fit(
                dataset, validation: validation, threads: threads, course: course)
        }
        return try learner.fit(
            dataset, validation: validation, threads: threads, observer: { try self.note($0) })
    }

    func note(_ news: FitProgress) throws {
        try Task.checkCancellation()
        // Told again of rounds before this turn.
        guard news.done > news.resumed else { return }
        let date = now()
        let time = Int64((date.timeIntervalSince1970 * 1_000).rounded())
        let (progress, seconds) = state.withLock { state in
            if !news.metrics.isEmpty {
                state.history.rounds.append(
                    FitHistory.Round(
                        number: news.done, time: time, names: news.metrics.map(\.name),
                        values: news.metrics.map(\.value)))
            }
            let progress =
                state.progress ?? Progress(name, total: news.total, from: news.resumed)
            state.progress = progress
            let started = state.started ?? date
            state.started = started
            return (progress, date.timeIntervalSince(started))
        }
        progress.move(to: news.done)
        if seconds >= secondsMax, news.done < news.total { throw TurnIsOver() }
    }
}
