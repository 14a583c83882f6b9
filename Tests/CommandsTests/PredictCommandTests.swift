import Foundation
import Testing

@testable import Commands

@Suite struct PredictCommandTests {
    let place: TestPlace
    let manta: MantaProgram

    init() async throws {
        place = try TestPlace()
        manta = MantaProgram(place: place)
        try place.writeTable()
        let trained = try await manta(
            "train", "--data", "data.csv", "--target", "y", "--param", "trees=8", "--model", "m")
        #expect(trained.code == 0)
    }

    @Test("Each form has its header and a line for each row; a file is the same as the output")
    func forms() async throws {
        let rowCount = try lines("data.csv").count - 1
        for (flags, header) in [
            ([], "prediction"), (["--proba"], nil), (["--raw"], nil), (["--leaf"], nil),
        ] as [([String], String?)] {
            let said = try await manta.run(
                ["predict", "--model", "m", "--data", "data.csv"] + flags)
            #expect(said.code == 0 && said.err.isEmpty, "\(said)")
            let lines = said.out.split(separator: "\n")
            #expect(lines.count == rowCount + 1)
            if let header { #expect(lines[0] == header) }
            let written = try await manta.run(
                ["predict", "--model", "m", "--data", "data.csv", "--output", "out.csv"] + flags)
            #expect(written.code == 0 && written.out.isEmpty)
            #expect(place.read("out.csv") == Data(said.out.utf8))
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: place.path).allSatisfy {
                !$0.hasSuffix(".partial")
            })
    }

    @Test("A missing column is named and leaves no file; flags exclude each other")
    func refusals() async throws {
        try place.write("nothing\n1\n", to: "other.csv")
        let said = try await manta(
            "predict", "--model", "m", "--data", "other.csv", "--output", "out.csv")
        #expect(said.code == 1 && said.err.contains("there is no column"), "\(said)")
        #expect(place.read("out.csv") == nil)
        #expect(try await manta("predict", "--model", "m", "--data", "none.csv").code == 3)
        #expect(try await manta("predict", "--model", "none", "--data", "data.csv").code == 3)
        let both = try await manta(
            "predict", "--model", "m", "--data", "data.csv", "--raw", "--leaf")
        #expect(both.code == 2)
    }

    @Test("The bench prints what it measured")
    func bench() async throws {
        let said = try await manta(
            "bench", "predict", "--model", "m", "--data", "data.csv", "--batch", "1,100",
            "--threads", "1,2", "--seconds", "0.01", "--json")
        let report = try said.json()
        #expect(report["trees"] as? Int == 8)
        let figures = try #require(report["figures"] as? [[String: Any]])
        #expect(figures.count == 3)
        #expect(figures.allSatisfy { ($0["rows_per_second"] as? Double ?? 0) > 0 })
        let one = try #require(figures[0]["latency"] as? [String: Any])
        #expect((one["median"] as? Double ?? 0) >= (one["min"] as? Double ?? 1))
        let layout = try #require(report["layout"] as? [String: String])
        #expect(layout["alone"]?.isEmpty == false && layout["together"]?.isEmpty == false)
        #expect(
            try await manta("bench", "predict", "--model", "m", "--data", "x", "--batch", "0").code
                == 2)
    }

    private func lines(_ name: String) throws -> [Substring] {
        String(decoding: try #require(place.read(name)), as: UTF8.self).split(separator: "\n")
    }
}
