import DecisionForests

/// What the command line of `learning-bench` says.
///
/// `train --data FILE --target NAME [--task automatic|classification|regression]
/// [--learner KIND] [--param NAME=VALUE]… [--train-rows N] [--fit-rows N] [--threads N]
/// [--seed N]… [--repeat N] [--json]`
struct BenchOptions {
    var data = ""
    var target = "target"
    var task = Dataset.TargetKind.automatic
    var learner = "forest"
    var parameters: [(name: String, value: String)] = []
    /// Rows to train on; the rows after them judge the model. All rows do both if nil.
    var trainRowCount: Int?
    /// Of those rows, how many are learned from; all if nil.
    var fitRowCount: Int?
    var threads = BinnedDataset.threadsDefault
    /// One model per seed.
    var seeds: [UInt64] = []
    /// Timed fits per seed; the fastest counts.
    var repeatCount = 1
    /// For `predict`: rows of a call, threads that share them, time for each pair of the two.
    var batches = [1, 32, 1_000, 100_000]
    var predictThreads = [1]
    var cellSeconds = 0.5
    /// Where its trees are kept, and where its answers go; nil for nowhere.
    var model: String?
    var answers: String?

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: some Sequence<String>) throws {
        var words = Array(arguments)[...]
        while let word = words.popFirst() {
            if word == "--json" { continue }
            guard let value = words.popFirst() else {
                throw Problem(description: "\(word) needs a value")
            }
            try take(word, value)
        }
        if seeds.isEmpty { seeds = [0] }
    }

    private mutating func take(_ word: String, _ value: String) throws {
        switch word {
        case "--data": data = value
        case "--target": target = value
        case "--learner": learner = value
        case "--param":
            let parts = value.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw Problem(description: "--param needs NAME=VALUE, not '\(value)'")
            }
            parameters.append((parts[0], parts[1]))
        case "--task":
            guard let kind = Dataset.TargetKind(rawValue: value) else {
                throw Problem(description: "--task is one of \(Dataset.TargetKind.allCases)")
            }
            task = kind
        case "--train-rows": trainRowCount = try Self.number(word, value)
        case "--fit-rows": fitRowCount = try Self.number(word, value)
        case "--threads": threads = try Self.number(word, value)
        case "--repeat": repeatCount = try Self.number(word, value)
        case "--batch": batches = try Self.numbers(word, value)
        case "--predict-threads": predictThreads = try Self.numbers(word, value)
        case "--cell-seconds":
            guard let seconds = Double(value), (0.001...600).contains(seconds) else {
                throw Problem(description: "--cell-seconds is in 0.001...600")
            }
            cellSeconds = seconds
        case "--model": model = value
        case "--answers": answers = value
        case "--seed": seeds.append(try Self.number(word, value))
        default: throw Problem(description: "\(word) is unknown")
        }
    }

    /// "1,32" as 1 and 32; each is at least 1.
    private static func numbers(_ word: String, _ text: String) throws -> [Int] {
        let found: [Int] = try text.split(separator: ",").map { try number(word, String($0)) }
        guard !found.isEmpty, found.allSatisfy({ $0 >= 1 }) else {
            throw Problem(description: "\(word) needs numbers from 1 on, not '\(text)'")
        }
        return found
    }

    static func number<Number: FixedWidthInteger>(_ word: String, _ text: String) throws -> Number {
        guard let number = Number(text), number >= 0 else {
            throw Problem(description: "\(word) needs a whole number, not '\(text)'")
        }
        return number
    }
}
