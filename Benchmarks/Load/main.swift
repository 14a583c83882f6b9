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

let usage = """
    usage: load-bench PATH | --make FOLDER

    Prints, as one line of JSON, what it costs to load the model.manta at PATH; or writes the two
    models of docs/PERFORMANCE.md into FOLDER, if they are not there yet.

    """

/// Ends the program, with `code` and a message where something is wrong.
func end(_ message: String, code: Int32) -> Never {
    let handle = code == 0 ? FileHandle.standardOutput : FileHandle.standardError
    handle.write(Data(message.utf8))
    exit(code)
}

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch arguments.first {
    case "--help", "-h": end(usage, code: 0)
    case "--make" where arguments.count == 2: try makeModels(in: URL(filePath: arguments[1]))
    case let path? where arguments.count == 1 && !path.hasPrefix("-"):
        try describe(URL(filePath: path).lastPathComponent, path)
    default: end(usage, code: 2)
    }
} catch {
    end("load-bench: \(error)\n", code: 1)
}
