import Foundation
import Testing

@testable import Commands

@Suite struct ExplainCommandTests {
    let place: TestPlace
    let manta: MantaProgram

    init() throws {
        place = try TestPlace()
        manta = MantaProgram(place: place)
        try place.writeTable()
    }

    private func train(_ more: String...) async throws {
        let said = try await manta.run(
            ["train", "--data", "data.csv", "--target", "y", "--model", "m"] + more)
        try #require(said.code == 0, "\(said)")
    }

    private func boost() async throws {
        try await train("--learner", "boosted", "--param", "rounds=10")
    }

    @Test("A line for each row, whose contributions are the same on any threads")
    func lines() async throws {
        try await boost()
        let said = try await manta("explain", "--model", "m", "--data", "data.csv")
        try #require(said.code == 0, "\(said)")
        let lines = said.out.split(separator: "\n")
        #expect(lines.count == 241)
        #expect(lines[0] == "expected_value,a,b,c,d")
        let numbers = lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
        #expect(numbers.allSatisfy { $0.count == 5 && $0[0] == numbers[0][0] })
        #expect(Set(numbers.map { $0[1] }).count > 3)
        let again = try await manta(
            "explain", "--model", "m", "--data", "data.csv", "--threads", "3", "--output", "o.csv")
        #expect(again.code == 0 && again.out.isEmpty && again.err.isEmpty)
        #expect(place.read("o.csv").map { String(decoding: $0, as: UTF8.self) } == said.out)
    }

    @Test("Averaged trees have a line for each class; JSON lines say the same")
    func classes() async throws {
        try await train("--param", "trees=5")
        let said = try await manta("explain", "--model", "m", "--data", "data.csv")
        let lines = said.out.split(separator: "\n")
        #expect(lines.count == 481 && lines[0] == "row,output,expected_value,a,b,c,d")
        #expect(lines[2].hasPrefix("0,yes,") && lines[3].hasPrefix("1,no,"))
        let json = try await manta("explain", "--model", "m", "--data", "data.csv", "--json")
        let objects = try json.out.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        #expect(objects.count == 480 && objects[1].output == "yes")
        let first = lines[2].split(separator: ",").compactMap { Double($0) }
        let added = objects[1].contributions
        #expect(["a", "b", "c", "d"].map { added[$0] } == first.suffix(4).map { $0 })
    }

    private struct Line: Decodable {
        let output: String
        let contributions: [String: Double]
    }

    @Test("Features are ranked; a feature's partial dependence has its grid")
    func ranking() async throws {
        try await boost()
        let said = try await manta(
            "explain", "--model", "m", "--data", "data.csv", "--global", "--json")
        let features = try #require(try said.json()["features"] as? [[String: Any]])
        let totals = features.compactMap { $0["total"] as? Double }
        #expect(totals.count == 4 && totals == totals.sorted(by: >) && totals[0] > 0.1)
        #expect(try said.json()["rows"] as? Int == 240)
        let table = try await manta("explain", "--model", "m", "--data", "data.csv", "--global")
        #expect(table.out.contains("MEAN |CONTRIBUTION|"))
        let one = try await manta("explain", "--model", "m", "--data", "data.csv", "--partial", "a")
        let lines = one.out.split(separator: "\n")
        #expect(lines.count == 101 && lines[0] == "a,no,yes")
        let two = try await manta(
            "explain", "--model", "m", "--data", "data.csv", "--partial", "a,b", "--method",
            "recursion", "--json")
        let report = try two.json()
        #expect(report["features"] as? [String] == ["a", "b"])
        #expect((report["averages"] as? [[Double]])?.first?.count == 10_000)
    }

    @Test("What cannot be asked has an exit code and words")
    func failures() async throws {
        try await train("--learner", "oblique", "--param", "trees=2")
        let oblique = try await manta("explain", "--model", "m", "--data", "data.csv")
        #expect(oblique.code == 1 && oblique.err.contains("weighted sum"))
        let unknown = try await manta(
            "explain", "--model", "m", "--data", "data.csv", "--partial", "nothing")
        #expect(unknown.code == 3 && unknown.err.contains("'nothing'"))
        for words in [["--partial", "a", "--global"], ["--raw"], ["--threads", "0"]] {
            let said = try await manta.run(
                ["explain", "--model", "m", "--data", "data.csv"] + words)
            #expect(said.code == 2)
        }
        let none = try await manta("explain", "--model", "nobody", "--data", "data.csv")
        #expect(none.code == 3)
    }
}
