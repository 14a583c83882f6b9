// `learning-bench train …` trains on a file's first rows, judges the model on its last ones, and
// prints figures as JSON: what Benchmarks/train.py and accuracy.py set beside other libraries.
import DecisionForests
import Foundation

do {
    var words = CommandLine.arguments.dropFirst()
    if words.first == "train" { words.removeFirst() }
    let options = try BenchOptions(words)
    let report = try LearningBench(options).run()
    FileHandle.standardOutput.write(try report.json())
    FileHandle.standardOutput.write(Data("\n".utf8))
} catch {
    FileHandle.standardError.write(Data("learning-bench: \(error)\n".utf8))
    exit(2)
}
