import DecisionForests
import Foundation

/// Contributions as CSV and as JSON lines: a line for each row and, where the model has several raw
/// scores, for each of them.
struct ContributionTable {
    private let features: [String]
    /// One name per raw score.
    private let outputs: [String]

    /// Contributions that are held at once: 64 MiB.
    private static let valueCountMax = 1 << 23

    init(_ model: TrainedModel) {
        features = model.featureNames
        outputs = Self.outputs(of: model)
    }

    /// The classes where each has a raw score; of two classes of one score the second, whose log
    /// odds it is; the target of a number.
    static func outputs(of model: TrainedModel) -> [String] {
        switch model.task {
        case .regression: [model.targetName]
        case .classification(let classes):
            model.ensemble.outputCount == classes.count
                ? classes.map(\.description) : classes.suffix(1).map(\.description)
        }
    }

    /// Parts of a block whose contributions may be held at once.
    static func parts(of block: FeatureMatrix, outputs: Int) throws -> [FeatureMatrix] {
        let width = block.featureCount
        let size = max(1, valueCountMax / (width * outputs))
        guard block.rowCount > size else { return [block] }
        return try stride(from: 0, to: block.rowCount, by: size).map { start in
            let end = min(block.rowCount, start + size)
            return try FeatureMatrix(
                values: Array(block.values[start * width..<end * width]), featureCount: width)
        }
    }

    /// "expected_value,age,income", behind "row,output," where there are several outputs.
    var header: String {
        let names = (["expected_value"] + features).map(Self.cell)
        return ((outputs.count > 1 ? ["row", "output"] : []) + names).joined(separator: ",") + "\n"
    }

    /// The lines of these rows, of which the first is row `firstRow`, counted from 0.
    func lines(_ values: ShapValues, firstRow: Int) -> String {
        var text = ""
        for row in 0..<values.rowCount {
            for (output, name) in outputs.enumerated() {
                if outputs.count > 1 { text += "\(firstRow + row),\(Self.cell(name))," }
                text += "\(values.expectedValues[output])"
                for value in values.contributions(ofRow: row, output: output) {
                    text += ",\(value)"
                }
                text += "\n"
            }
        }
        return text
    }

    private struct Line: Encodable {
        let row: Int
        let output: String
        let expectedValue: Double
        let contributions: [String: Double]

        private enum CodingKeys: String, CodingKey {
            case row, output
            case expectedValue = "expected_value"
            case contributions
        }
    }

    /// The same as an object for each line. JSON has no infinite number: one that an infinite
    /// value of a linear model's gives is an error.
    func jsonLines(_ values: ShapValues, firstRow: Int) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = ""
        for row in 0..<values.rowCount {
            for (output, name) in outputs.enumerated() {
                let own = values.contributions(ofRow: row, output: output)
                let line = Line(
                    row: firstRow + row, output: name,
                    expectedValue: values.expectedValues[output],
                    contributions: Dictionary(
                        zip(features, own), uniquingKeysWith: { first, _ in first }))
                text += String(decoding: try encoder.encode(line), as: UTF8.self) + "\n"
            }
        }
        return text
    }

    /// A cell of a CSV, in quotes where it needs them.
    static func cell(_ text: String) -> String {
        guard text.contains(where: { "\",\r\n".contains($0) || $0.isNewline }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}

/// The features by how much they add on average, whatever the sign, to the raw scores of rows.
struct FeatureRanking {
    private let features: [String]
    private let outputs: [String]
    private let expectedValues: [Double]
    private var sums: [Double]
    private var rowCount = 0

    init(_ model: TrainedModel, _ explainer: TreeExplainer) {
        features = model.featureNames
        outputs = ContributionTable.outputs(of: model)
        expectedValues = explainer.expectedValues
        sums = Array(repeating: 0, count: features.count * outputs.count)
    }

    mutating func add(_ values: ShapValues) {
        for (place, mean) in values.meanAbsolute.enumerated() {
            sums[place] += mean * Double(values.rowCount)
        }
        rowCount += values.rowCount
    }

    private func mean(_ feature: Int, _ output: Int) -> Double {
        rowCount == 0 ? 0 : sums[output * features.count + feature] / Double(rowCount)
    }

    private func total(_ feature: Int) -> Double {
        outputs.indices.reduce(0) { $0 + mean(feature, $1) }
    }

    /// Features by the sum over the outputs, the greatest first; of equals the earlier column.
    private var order: [Int] {
        let totals = features.indices.map(total)
        return features.indices.sorted { (totals[$1], $0) < (totals[$0], $1) }
    }

    /// A table of all features.
    var text: String {
        let isOne = outputs.count == 1
        let rows = order.map { feature in
            [features[feature], Figures.short(total(feature))]
                + (isOne ? [] : outputs.indices.map { Figures.short(mean(feature, $0)) })
        }
        let header = ["FEATURE", "MEAN |CONTRIBUTION|"] + (isOne ? [] : outputs)
        return "\(rowCount) rows, raw scores\n\n" + TextTable.render(header, rows)
    }

    private struct Report: Encodable {
        struct Feature: Encodable {
            let name: String
            let total: Double
            let outputs: [String: Double]
        }

        let rows: Int
        let expectedValues: [String: Double]
        let features: [Feature]

        private enum CodingKeys: String, CodingKey {
            case rows
            case expectedValues = "expected_values"
            case features
        }
    }

    /// The same as one JSON object.
    func json() throws -> String {
        let report = Report(
            rows: rowCount,
            expectedValues: Dictionary(
                zip(outputs, expectedValues), uniquingKeysWith: { first, _ in first }),
            features: order.map { feature in
                Report.Feature(
                    name: features[feature], total: total(feature),
                    outputs: Dictionary(
                        zip(outputs, outputs.indices.map { mean(feature, $0) }),
                        uniquingKeysWith: { first, _ in first }))
            })
        return try DependenceTable.text(of: report)
    }
}
