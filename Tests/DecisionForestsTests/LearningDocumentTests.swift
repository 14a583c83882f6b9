import DecisionForests
import Foundation
import Testing

@Suite("docs/LEARNING.md says what the code does")
struct LearningDocumentTests {
    private func document() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("docs/LEARNING.md").path
        return try String(contentsOfFile: file, encoding: .utf8)
    }

    @Test("The parameters are the code's; learning-bench parameters writes them")
    func parameters() throws {
        let text = try document()
        for kind in LearnerKind.all {
            #expect(text.contains(kind.parameterTable), "\(kind.name)")
            #expect(text.contains("| `\(kind.name)` |"), "\(kind.name) among the learners")
        }
    }

    @Test("Every metric is defined")
    func metrics() throws {
        let text = try document()
        let evaluations = try [
            MetricsCase.classes(2, levels: 0, seed: 1).ours(),
            MetricsCase.numbers(isCount: true, seed: 1).ours(),
        ]
        for metric in evaluations.flatMap(\.metrics) {
            let name = metric.name.hasPrefix("pinball_") ? "pinball_" : metric.name
            #expect(text.contains("`\(name)"), "\(metric.name)")
        }
    }
}
