// Trains on a CSV, judges the model on its last rows, and prints figures as JSON: what
// Benchmarks/accuracy.py and Benchmarks/speed.py set beside scikit-learn.
import DecisionForests
import Foundation

do {
    let options = try BenchOptions(CommandLine.arguments.dropFirst())
    let report = try LearningBench(options).run()
    FileHandle.standardOutput.write(try report.json())
    FileHandle.standardOutput.write(Data("\n".utf8))
} catch {
    FileHandle.standardError.write(Data("learning-bench: \(error)\n".utf8))
    exit(2)
}
