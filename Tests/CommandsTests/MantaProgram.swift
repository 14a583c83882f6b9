import Foundation
import Processes
import TestSupport

/// Runs the built `manta` as a person would, in a folder of the test's.
struct MantaProgram {
    let place: TestPlace
    var environment: [String: String] = [:]

    /// What a finished command said.
    struct Output {
        let code: Int32
        let out: String
        let err: String

        /// Standard output as JSON.
        func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(out.utf8))
            guard let object = value as? [String: Any] else {
                throw CocoaError(.propertyListReadCorrupt)
            }
            return object
        }
    }

    func callAsFunction(_ arguments: String...) async throws -> Output {
        try await run(arguments)
    }

    func run(_ arguments: [String]) async throws -> Output {
        let name = "\(place.path)/.said-\(UInt32.random(in: 0 ... .max))"
        let exit = await (try start(arguments, saying: name)).wait()
        let text = { (suffix: String) in
            try String(contentsOfFile: name + suffix, encoding: .utf8)
        }
        return Output(code: exit.shellCode, out: try text(".out"), err: try text(".err"))
    }

    /// Starts a command that writes to `saying`.out and `saying`.err.
    func start(_ arguments: [String], saying name: String) throws -> ChildProcess {
        var specification = ChildProcess.Specification(
            try BuiltProgram.manta, arguments,
            environment: ["PATH": "/usr/bin:/bin", "HOME": place.path].merging(environment) { $1 })
        specification.workingDirectory = place.path
        specification.standardOutput = .file(name + ".out")
        specification.standardError = .file(name + ".err")
        return try ChildProcess.spawn(specification)
    }
}

extension TestPlace {
    /// A CSV of four columns and the target "y": "no" or "yes", by a noisy rule.
    @discardableResult
    func writeTable(_ name: String = "data.csv", rows: Int = 240, seed: UInt64 = 1) throws -> String
    {
        var chance = SeededChance(seed)
        var lines = ["a,b,c,d,y"]
        for _ in 0..<rows {
            let cells = (0..<4).map { _ in Float.random(in: -2...2, using: &chance) }
            let noise = Float.random(in: -0.4...0.4, using: &chance)
            let answer = cells[0] + cells[1] * cells[2] + noise > 0 ? "yes" : "no"
            lines.append((cells.map(\.description) + [answer]).joined(separator: ","))
        }
        return try write(lines.joined(separator: "\n") + "\n", to: name)
    }
}
