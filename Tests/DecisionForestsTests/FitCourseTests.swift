import Foundation
import Testing

@testable import DecisionForests

@Suite("A fit that is broken off and gone on with gives the bytes of one that was not")
struct FitCourseTests {
    /// Learners that between them keep all there is to keep.
    enum Case: String, CaseIterable {
        case forest, forestOfNumbers, extra, extraOfNumbers, oblique, obliqueOfNumbers
        case sampled, stopped, classes, weighted, absolute, categorical
    }

    private struct BreakOff: Error {}

    private func learner(_ which: Case) throws -> any ResumableLearner {
        switch which {
        case .forest: try RandomForestClassifier(trees: 9, seed: 4)
        case .forestOfNumbers: try RandomForestRegressor(trees: 9, seed: 4)
        case .extra: try ExtraTreesClassifier(trees: 9, seed: 4)
        case .extraOfNumbers: try ExtraTreesRegressor(trees: 9, seed: 4)
        case .oblique: try ObliqueForestClassifier(trees: 9, seed: 4)
        case .obliqueOfNumbers: try ObliqueForestRegressor(trees: 9, seed: 4)
        case .sampled:
            // Rows are drawn every other round, features by tree, level and node.
            try GradientBoostingClassifier(
                BoosterParameters(named: [
                    "rounds": "9", "bagging_fraction": "0.6", "bagging_freq": "2",
                    "colsample_bytree": "0.7", "colsample_bylevel": "0.7",
                    "colsample_bynode": "0.7", "num_leaves": "8", "train_metric": "true",
                ]))
        case .stopped:
            try GradientBoostingClassifier(
                BoosterParameters(
                    rounds: 40, learningRate: 0.9, leaves: 8, earlyStoppingRounds: 3))
        case .classes, .weighted:
            try GradientBoostingClassifier(
                BoosterParameters(rounds: 9, leaves: 6),
                classWeight: which == .weighted ? .balanced : .equal)
        case .absolute:
            try GradientBoostingRegressor(
                BoosterParameters(rounds: 9, leaves: 6), objective: .absolute)
        case .categorical:
            try GradientBoostingRegressor(BoosterParameters(rounds: 9, minRowsInLeaf: 5))
        }
    }

    private func data(_ which: Case) throws -> (train: Dataset, validation: Dataset?) {
        switch which {
        case .forest, .extra, .sampled, .weighted: (try SampleData.withMissing(), nil)
        case .oblique: (try makeClassification(samples: 200, informative: 6, seed: 2), nil)
        case .classes:
            (try makeClassification(samples: 300, informative: 6, classes: 3, seed: 2), nil)
        case .stopped:
            try judged()
        case .categorical: (try BoosterData.categorical(rows: 400), nil)
        default: (try SampleData.regression(), nil)
        }
    }

    private func judged() throws -> (train: Dataset, validation: Dataset?) {
        let (train, validation) = try makeClassification(
            samples: 400, features: 8, informative: 3, flipY: 0.3, seed: 6
        ).split(holdout: 0.5, seed: 1)
        return (train, validation)
    }

    /// All that a fit tells after it was broken off `breaks` times, each time after one more
    /// checkpoint, its checkpoints having gone through bytes.
    private func fit(
        _ which: Case, interval: Int, breaks: Int
    ) throws -> (model: TrainedModel, told: [FitProgress]) {
        let (learner, (train, validation)) = (try learner(which), try data(which))
        let kept = Collected<FitCheckpoint>()
        for turn in 0...breaks {
            let told = Collected<FitProgress>()
            var course = FitCourse(observer: { told.append($0) })
            course.earlier = try FitCheckpoint(
                joining: kept.all.map { try FitCheckpoint(decoding: $0.encoded()) })
            course.interval = interval
            course.keep = {
                kept.append($0)
                if turn < breaks { throw BreakOff() }
            }
            do {
                let model = try learner.fit(
                    train, validation: validation, threads: 1 + turn % 3, course: course)
                return (model, told.all)
            } catch is BreakOff { continue }
        }
        throw BreakOff()
    }

    @Test("Wherever it is broken off, and however often", arguments: Case.allCases)
    func sameBytes(_ which: Case) throws {
        let (train, validation) = try data(which)
        let expected = try learner(which).fit(
            train, validation: validation, threads: 2, observer: nil)
        for (interval, breaks) in [(1, 0), (1, 3), (2, 2), (3, 1), (4, 1)] {
            #expect(try fit(which, interval: interval, breaks: breaks).model == expected)
        }
        #expect(
            expected.gainImportances.isEmpty
                == [Case.oblique, .obliqueOfNumbers].contains(which))
    }

    @Test(
        "Rounds of before are told again with the same figures",
        arguments: [Case.sampled, .stopped])
    func history(_ which: Case) throws {
        let whole = try fit(which, interval: 2, breaks: 0).told
        let resumed = try fit(which, interval: 2, breaks: 2).told
        #expect(whole.map(\.metrics) == resumed.map(\.metrics) && whole.count > 4)
        #expect(whole.allSatisfy { $0.resumed == 0 && !$0.metrics.isEmpty })
        #expect(resumed.allSatisfy { $0.resumed == 4 })
    }

    @Test("A fit that had ended but for its model needs no further round")
    func complete() throws {
        let (learner, data) = (try learner(.classes), try data(.classes).train)
        let kept = Collected<FitCheckpoint>()
        var course = FitCourse()
        course.interval = 3
        course.keep = { kept.append($0) }
        let model = try learner.fit(data, validation: nil, threads: 1, course: course)
        course.earlier = try FitCheckpoint(joining: kept.all)
        #expect(course.earlier?.end == 27)
        course.keep = { _ in Issue.record("a round was grown") }
        #expect(try learner.fit(data, validation: nil, threads: 1, course: course) == model)
    }

    @Test("Bins of somebody else's making serve as well as one's own")
    func sharedBins() throws {
        let data = try data(.weighted).train
        let learner = try GradientBoostingClassifier(BoosterParameters(rounds: 4, bins: 31))
        var course = FitCourse()
        let bins = learner.boosting.binned(data, threads: 2)
        course.bins = try BinnedDataset(decoding: bins.encoded())
        #expect(
            try learner.fit(data, validation: nil, threads: 1, course: course)
                == learner.fit(data, threads: 1))
        course.bins = BinnedDataset(try SampleData.withMissing(rows: 200), seed: 0)
        #expect(throws: TrainingError.self) {
            try learner.fit(data, validation: nil, threads: 1, course: course)
        }
    }

    @Test("The catalogue knows which learners can go on", arguments: LearnerKind.all)
    func catalogue(_ kind: LearnerKind) throws {
        for target in [Dataset.Target.classes(labels: [], indices: []), .values([])] {
            let learner = try LearnerSpec(kind.name).learner(for: target)
            #expect((learner is any ResumableLearner) == kind.isResumable)
        }
    }

    // MARK: Checkpoints that are none

    private func checkpoint(_ which: Case) throws -> FitCheckpoint {
        let kept = Collected<FitCheckpoint>()
        var course = FitCourse()
        course.interval = 4
        course.keep = {
            kept.append($0)
            throw BreakOff()
        }
        let data = try data(which).train
        #expect(throws: BreakOff.self) {
            try learner(which).fit(data, validation: nil, threads: 1, course: course)
        }
        return try #require(kept.all.first)
    }

    private func goOn(_ which: Case, from earlier: FitCheckpoint) throws {
        var course = FitCourse()
        course.earlier = earlier
        _ = try learner(which).fit(data(which).train, validation: nil, threads: 1, course: course)
    }

    @Test("Bytes that are cut off or changed anywhere are refused or harmless")
    func hostileBytes() throws {
        let bytes = try checkpoint(.categorical).encoded()
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: DamagedBytes.self) {
                try FitCheckpoint(decoding: Array(bytes[..<count]))
            }
        }
        var refused = 0
        for place in stride(from: 8, to: bytes.count, by: 5) {
            var changed = bytes
            changed[place] ^= 0xA5
            do {
                try goOn(.categorical, from: FitCheckpoint(decoding: changed))
            } catch {
                let isTyped =
                    error is DamagedBytes || error is EnsembleError || error is TrainingError
                #expect(isTyped, "\(error)")
                refused += 1
            }
        }
        #expect(refused > 20)
    }

    @Test("Trees of another shape, too many of them, or from the middle are refused")
    func foreign() throws {
        let own = try checkpoint(.categorical)
        // Six features where there are two.
        #expect(throws: (any Error).self) {
            try goOn(.categorical, from: checkpoint(.absolute))
        }
        #expect(throws: (any Error).self) { try goOn(.absolute, from: checkpoint(.classes)) }
        #expect(throws: (any Error).self) { try goOn(.forest, from: checkpoint(.weighted)) }
        #expect(throws: TrainingError.self) {
            try goOn(.categorical, from: FitCheckpoint(first: 4, trees: own.trees))
        }
        let many = Array(repeating: own.trees[0], count: 10)
        #expect(throws: TrainingError.self) {
            try goOn(
                .categorical,
                from: FitCheckpoint(first: 0, trees: many, baseScores: own.baseScores))
        }
        #expect(throws: TrainingError.self) { try FitCheckpoint(joining: [own, own]) }
        #expect(try FitCheckpoint(joining: []) == nil)
    }
}

/// What a closure was given.
private final class Collected<Element: Sendable>: @unchecked Sendable {
    private(set) var all: [Element] = []

    /// Called by one thread, that of the fit.
    func append(_ element: Element) { all.append(element) }
}
