import Testing

@testable import DecisionForests

@Suite("Entries are cut into sections that keep their rows")
struct RowSectionsTests {
    @Test(
        "Chunks fill the sections' ranges without gap or overlap",
        arguments: [0, 1, 2047, 2048, 2049, 10_000, 40_960, 300_000], [1, 2, 3, 7])
    func places(rowCount: Int, threads: Int) {
        let states = RowStates(
            targets: [Float](repeating: 0, count: rowCount), weights: nil, outputCount: 1,
            hasHessians: false, threads: threads)
        var owners = [Int?](repeating: nil, count: rowCount)
        var takenTwice = 0
        for chunk in 0..<states.chunkCount {
            let start = states.sections.place(ofChunk: chunk)
            for place in start..<start + states.rows(ofChunk: chunk).count {
                if owners[place] != nil { takenTwice += 1 }
                owners[place] = states.sections.section(ofChunk: chunk)
            }
        }
        #expect(takenTwice == 0)
        #expect(states.sections.ranges.reduce(0) { $0 + $1.count } == rowCount)
        for (section, range) in states.sections.ranges.enumerated() {
            #expect(range.allSatisfy { owners[$0] == section })
        }
        #expect(threads > 1 || states.sections.ranges.count == 1)
        #expect(rowCount < 300_000 || threads == 1 || states.sections.ranges.count >= 16 * threads)
    }

    @Test("Groups cover every row once, in order", arguments: [1, 300, 39_900, 50_000])
    func groups(least: Int) {
        let rows = SectionedRows([5..<5, 10..<11, 100..<40_000, 50_000..<50_002, 60_000..<60_000])
        let groups = rows.groups(least: least)
        let counts = groups.map { group in rows.ranges[group].reduce(0) { $0 + $1.count } }
        #expect(
            groups.flatMap { rows.ranges[$0].joined().map { $0 } }
                == rows.ranges.joined().map { $0 })
        #expect(counts.dropLast().allSatisfy { $0 >= least })
        #expect(counts.allSatisfy { $0 > 0 })
    }

    @Test("A split keeps every row in its section")
    func split() {
        let (left, right) = SectionedRows([0..<10, 10..<10, 20..<25]).split(after: [4, 0, 5])
        #expect(left.ranges == [0..<4, 10..<10, 20..<25])
        #expect(right.ranges == [4..<10, 10..<10, 25..<25])
        #expect(left.count == 9)
        #expect(right.count == 6)
    }
}
