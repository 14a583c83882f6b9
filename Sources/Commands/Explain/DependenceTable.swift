import DecisionForests
import Foundation

/// Partial dependence as CSV and as JSON: a line for each point of the grid.
struct DependenceTable {
    private let model: TrainedModel
    private let found: PartialDependence
    private let outputs: [String]

    init(_ model: TrainedModel, _ found: PartialDependence) {
        (self.model, self.found) = (model, found)
        // Answers have a score for each class, raw scores of two classes may be one.
        if case .classification(let classes) = model.task, found.outputCount == classes.count {
            outputs = classes.map(\.description)
        } else {
            outputs = ContributionTable.outputs(of: model)
        }
    }

    /// The features of these names, separated by a comma.
    static func features(_ names: String, of model: TrainedModel) throws -> [Int] {
        // A name may itself have a comma in it.
        if let whole = model.featureNames.firstIndex(of: names) { return [whole] }
        let features = try names.split(separator: ",", omittingEmptySubsequences: false).map {
            name in
            guard let feature = model.featureNames.firstIndex(of: String(name)) else {
                throw CommandFailure(
                    "the model has no feature '\(name)'; `manta inspect` lists them.",
                    code: ExitStatus.notFound)
            }
            return feature
        }
        guard features.count <= 2, Set(features).count == features.count else {
            throw CommandFailure(
                "--partial takes one feature or two different ones, not '\(names)'.",
                code: ExitStatus.usage)
        }
        return features
    }

    /// A value of a feature as people write it: the level's name, true or false, or the number.
    private func value(_ number: Float, of feature: Int) -> String {
        switch model.featureKinds[feature] {
        case .numeric: return "\(number)"
        case .boolean: return number == 0 ? "false" : "true"
        case .categorical(let levels):
            let code = Int(exactly: number) ?? -1
            return levels.indices.contains(code) ? levels[code] : "\(number)"
        }
    }

    /// "age,income,no,yes" and a line for each point.
    var text: String {
        let names = found.features.map { model.featureNames[$0] } + outputs
        var text = names.map(ContributionTable.cell).joined(separator: ",") + "\n"
        for point in 0..<found.pointCount {
            let values = zip(found.values(ofPoint: point), found.features).map {
                ContributionTable.cell(value($0, of: $1))
            }
            let averages = outputs.indices.map {
                "\(found.averages[$0 * found.pointCount + point])"
            }
            text += (values + averages).joined(separator: ",") + "\n"
        }
        return text
    }

    private struct Report: Encodable {
        let features: [String]
        let grids: [[String]]
        let outputs: [String]
        /// Per output, the average at each point.
        let averages: [[Double]]
    }

    /// The same as one JSON object.
    func json() throws -> String {
        try Self.text(
            of: Report(
                features: found.features.map { model.featureNames[$0] },
                grids: zip(found.grids, found.features).map { grid, feature in
                    grid.map { value($0, of: feature) }
                },
                outputs: outputs,
                averages: outputs.indices.map { output in
                    let start = output * found.pointCount
                    return Array(found.averages[start..<start + found.pointCount])
                }))
    }

    /// An object as JSON for machines.
    static func text(of report: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }
}
