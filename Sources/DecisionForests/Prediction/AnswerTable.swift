/// A model's answers as lines of CSV, for rows that come some at a time.
package struct AnswerTable: Sendable {
    /// What a line says of its row.
    package enum Form: String, Sendable, CaseIterable {
        /// The most probable class, or the value.
        case answer
        /// Each class's share.
        case shares
        /// The sums before the transform.
        case raw
        /// The number of the leaf in each tree.
        case leaves
    }

    private enum Source: Sendable {
        case scores(Predictor)
        case raw(Predictor)
        case leaves(LeafFinder)
    }

    private let source: Source
    /// Of the most probable class; nil where lines hold numbers.
    private let labels: [[UInt8]]?
    /// Names of the columns, with its line feed.
    package let header: String

    /// A table for a model that may come from anywhere.
    ///
    /// Throws `EnsembleError` for a model that is not sound, and `ParameterError` where shares are
    /// asked of a model that answers numbers.
    package init(_ model: TrainedModel, form: Form) throws {
        var classes: [String]?
        if case .classification(let found) = model.task { classes = found.map(\.description) }
        var columns = ["prediction"]
        var labels: [[UInt8]]?
        switch form {
        case .answer:
            source = .scores(try model.predictor())
            labels = classes.map { $0.map { Array(Self.cell($0).utf8) } }
        case .shares:
            guard let classes else {
                throw ParameterError(
                    "--proba", "given", allowed: "left out: this model answers numbers")
            }
            source = .scores(try model.predictor())
            columns = classes
        case .raw:
            let predictor = try model.predictor()
            source = .raw(predictor)
            columns = predictor.rawCount == classes?.count ? classes ?? [] : ["raw"]
        case .leaves:
            try model.validate()
            let finder = try LeafFinder(model.ensemble)
            source = .leaves(finder)
            columns = (0..<finder.treeCount).map { "tree_\($0)" }
        }
        self.labels = labels
        header = columns.map(Self.cell).joined(separator: ",") + "\n"
    }

    /// The lines of some rows, each with its line feed; numbers as few digits as tell them apart.
    ///
    /// Throws if the rows have another width than the model.
    package func lines(of rows: FeatureMatrix, threads: Int) throws(DatasetError) -> [UInt8] {
        switch source {
        case .scores(let predictor):
            let scores = try predictor.predict(rows, threads: threads)
            guard let labels else {
                return Self.lines(scores, width: predictor.outputCount)
            }
            return Self.lines(of: labels, scores)
        case .raw(let predictor):
            return Self.lines(
                try predictor.raw(rows, threads: threads), width: predictor.rawCount)
        case .leaves(let finder):
            return Self.lines(
                try finder.leafIndices(of: rows, threads: threads), width: finder.treeCount)
        }
    }

    private static func lines(_ numbers: [some CustomStringConvertible], width: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 12)
        for (index, number) in numbers.enumerated() {
            bytes.append(contentsOf: number.description.utf8)
            bytes.append(UInt8(ascii: (index + 1) % width == 0 ? "\n" : ","))
        }
        return bytes
    }

    /// The label of each row's greatest score, the first of equals.
    private static func lines(of labels: [[UInt8]], _ scores: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: scores.count, by: labels.count) {
            var best = 0
            for index in 1..<max(1, labels.count) where scores[start + index] > scores[start + best]
            {
                best = index
            }
            bytes.append(contentsOf: labels[best])
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    /// A text as a cell: in quotes where RFC 4180 asks for them.
    private static func cell(_ text: String) -> String {
        let special: Set<Character> = [",", "\"", "\n", "\r", "\r\n"]
        guard text.isEmpty || text.contains(where: special.contains) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
