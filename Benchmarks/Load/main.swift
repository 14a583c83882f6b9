import DecisionForests
import Foundation
import ModelFormats

/// Prints, one JSON object a line, what it costs to load a model that is named, or else the two
/// that `docs/PERFORMANCE.md` speaks of: 500 boosted trees of 31 leaves over 50 features, and a
/// forest of 100 trees of depth 12.
func describe(_ name: String, _ path: String) throws {
    let figures = try LoadFigures(of: path)
    let values: [(String, String)] = [
        ("model", "\"\(name)\""), ("fileBytes", "\(figures.fileSize)"),
        ("loadMilliseconds", milliseconds(figures.loadSeconds)),
        ("readMilliseconds", milliseconds(figures.readSeconds)),
        ("decodeMilliseconds", milliseconds(figures.decodeSeconds)),
        ("buildMilliseconds", milliseconds(figures.buildSeconds)),
        ("residentBytes", "\(figures.residentSize)"),
        (
            "residentShare",
            String(format: "%.2f", Double(figures.residentSize) / Double(figures.fileSize))
        ),
    ]
    print("{" + values.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
}

func milliseconds(_ seconds: Double) -> String { String(format: "%.3f", seconds * 1_000) }

/// Writes the two models into a folder, if they are not there yet.
func makeModels(in folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func write(_ name: String, _ model: () throws -> TrainedModel) throws {
        let path = folder.appending(path: name)
        guard !FileManager.default.fileExists(atPath: path.path) else { return }
        try Data(ModelFile.encode(try model())).write(to: path)
    }
    try write("boosted.manta") {
        let data = try makeRegression(samples: 20_000, features: 50, informative: 30, seed: 4)
        let parameters = try BoosterParameters(named: ["num_iterations": "500"])
        return try GradientBoostingRegressor(parameters).fit(data)
    }
    try write("forest.manta") {
        let data = try makeClassification(
            samples: 100_000, features: 50, informative: 20, flipY: 0.2, seed: 4)
        return try RandomForestClassifier(trees: 100, maxDepth: 12, seed: 1).fit(data)
    }
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--make", let folder = arguments.dropFirst().first {
    try makeModels(in: URL(filePath: folder))
} else if let path = arguments.first {
    try describe(URL(filePath: path).lastPathComponent, path)
} else {
    FileHandle.standardError.write(Data("usage: load-bench PATH | --make FOLDER\n".utf8))
    exit(2)
}
