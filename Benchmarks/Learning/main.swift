// Prints figures as JSON. `learning-bench train …` trains on a file's first rows and judges the
// model on its last ones, what Benchmarks/train.py and accuracy.py set beside other libraries;
// `predict …` measures a fitted model's answers, `shap …` explains rows, `csv …` reads files,
// `kernels LIBRARY` times hot loops beside C's, `literals …` holds numbers read against C's, and
// `parameters` prints the tables of docs/LEARNING.md.
import DecisionForests
import Foundation

do {
    if let kernels = ProcessInfo.processInfo.environment["MANTA_KERNELS"] {
        try KernelChoice.use(named: kernels)
    }
    var words = CommandLine.arguments.dropFirst()
    switch words.first {
    case "csv":
        try printJSON(CSVBench(words.dropFirst()).run())
        exit(0)
    case "predict":
        try printJSON(PredictBench(words.dropFirst()).run())
        exit(0)
    case "shap":
        try printJSON(ShapBench(words.dropFirst()).run())
        exit(0)
    case "literals":
        var check = try LiteralCheck(words.dropFirst())
        let report = try check.run()
        try printJSON(report)
        exit(report.wrong == 0 ? 0 : 1)
    case "kernels":
        try printJSON(KernelBench(words.dropFirst()).run())
        exit(0)
    case "parameters":
        let tables = LearnerKind.all.map(\.parameterTable).joined(separator: "\n")
        FileHandle.standardOutput.write(Data(tables.utf8))
        exit(0)
    case "train": words.removeFirst()
    default: break
    }
    let options = try BenchOptions(words)
    let report = try LearningBench(options).run()
    FileHandle.standardOutput.write(try report.json())
    FileHandle.standardOutput.write(Data("\n".utf8))
} catch {
    FileHandle.standardError.write(Data("learning-bench: \(error)\n".utf8))
    exit(2)
}

func printJSON(_ report: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys]
    FileHandle.standardOutput.write(try encoder.encode(report))
    FileHandle.standardOutput.write(Data("\n".utf8))
}
