import DecisionForests
import Foundation
import Testing

@Suite("Files of many parts are one table")
struct DataPartsTests {
    /// Rows of numbers, words with quotes and line ends, gaps, and classes.
    private static func rows(_ range: Range<Int>) -> String {
        range.map { row in
            let word = row % 7 == 0 ? "\"a, \"\"\(row % 11)\"\"\nb\"" : "w\(row % 13)"
            let gap = row % 5 == 0 ? "" : "\(Double(row) / 8 - 100)"
            return
                "\(Double(row) * 0.123),\(word),\(gap),\(row % 3 == 0 ? "yes" : "no"),k\(row % 4)\n"
        }.joined()
    }

    private static let header = "n,c,g,b,y\r\n"

    private func write(_ cuts: [Int], _ folder: ScratchFolder, _ name: String) throws -> [String] {
        try zip(cuts, cuts.dropFirst()).enumerated().map { index, range in
            try folder.write(
                Self.header + Self.rows(range.0..<range.1), to: "\(name)-\(index).csv")
        }
    }

    @Test("However the rows are cut and on any number of threads, the data set is the same")
    func sameBytes() throws {
        let folder = try ScratchFolder()
        let count = 120_000
        var options = ReadOptions(target: "y")
        options.threads = 1
        let whole = try Dataset.load(write([0, count], folder, "whole"), options: options)
        #expect(whole.rowCount == count)
        #expect(whole.featureKinds[3] == .boolean)
        #expect(whole.featureKinds[1].levels?.count == 24)
        for cuts in [
            [0, count], [0, 1, 2, 70_000, count], [0, 40_000, 40_001, 90_000, 100_000, count],
        ] {
            for threads in [1, 2, 3, 7] {
                options.threads = threads
                let parts = try Dataset.load(
                    write(cuts, folder, "p\(cuts.count)"), options: options)
                #expect(Sample.areEqual(parts, whole))
            }
        }
    }

    @Test("A fault is named with its part and line, however many threads read")
    func faults() throws {
        let folder = try ScratchFolder()
        let first = try folder.write(Self.header + Self.rows(0..<50_000), to: "1.csv")
        let second = try folder.write(
            Self.header + Self.rows(1..<7) + "1,x,2,no\n" + Self.rows(7..<9) + "1\n", to: "2.csv")
        for threads in [1, 2, 5] {
            var options = ReadOptions(target: "y")
            options.threads = threads
            #expect(
                throws: DatasetError.line(
                    file: second, line: 8, problem: "4 cells where the header has 5")
            ) { try Dataset.load([first, second], options: options) }
        }
    }

    @Test("Parts must have the same columns")
    func headers() throws {
        let folder = try ScratchFolder()
        let first = try folder.write("a,b,y\n1,2,0\n", to: "1.csv")
        for (text, problem) in [
            ("a,c,y\n1,2,0\n", "column 2 is 'c', in \(first) it is 'b'"),
            ("a,y\n1,2\n", "it has 2 columns, \(first) has 3"), ("", "there is no header line"),
        ] {
            let second = try folder.write(text, to: "2.csv")
            #expect(throws: DatasetError.header(file: second, problem: problem)) {
                try Dataset.load([first, second], options: ReadOptions(target: "y"))
            }
        }
        let empty = try folder.write("a,b,y\n", to: "3.csv")
        #expect(
            try Dataset.load([empty, first, empty], options: ReadOptions(target: "y")).rowCount == 1
        )
        #expect(throws: DatasetError.self) {
            try Dataset.load([empty, empty], options: ReadOptions(target: "y"))
        }
    }

    @Test("Folders and patterns are files in the order of their names")
    func names() throws {
        let folder = try ScratchFolder()
        for (name, value) in [("b", 2), ("a", 1), ("B", 0), ("_c", 8), (".d", 9)] {
            _ = try folder.write("x,y\n\(value),1\n", to: "\(name).csv")
        }
        let options = ReadOptions(target: "y", task: .regression)
        #expect(try Dataset.load([folder.file("")], options: options).columns == [[0, 1, 2]])
        #expect(try Dataset.load([folder.file("[ab].csv")], options: options).columns == [[1, 2]])
        let twice = [folder.file("b.csv"), folder.file("?.csv")]
        #expect(try Dataset.load(twice, options: options).columns == [[2, 0, 1, 2]])
        for path in [folder.file("z*.csv"), folder.file("none.csv")] {
            #expect(throws: DatasetError.self) { try Dataset.load([path], options: options) }
        }
        #expect(throws: DatasetError.self) { try Dataset.load([], options: options) }
    }

    @Test("Tabs divide the cells of .tsv files")
    func tabs() throws {
        let folder = try ScratchFolder()
        let path = try folder.write("a\tb c\ty\n1\t2 3\t0\n\t4,5\t1\n", to: "t.TSV")
        let data = try Dataset.load([path], options: ReadOptions(target: "y"))
        #expect(data.featureNames == ["a", "b c"])
        #expect(data.columns[0][1].isNaN)
        #expect(data.featureKinds[1] == .categorical(levels: ["2 3", "4,5"]))
    }

    @Test("What comes through a pipe is read once; a late word cannot be taken back")
    func pipe() throws {
        let folder = try ScratchFolder()
        let path = folder.file("pipe.csv")
        for (tail, works) in [("3,1\n", true), ("x,1\n", false)] {
            try #require(mkfifo(path, 0o600) == 0)
            let text = "a,y\n" + String(repeating: "1,0\n", count: 300_000) + tail
            let writer = Thread {
                guard let file = fopen(path, "w") else { return }
                _ = text.withCString { fputs($0, file) }
                fclose(file)
            }
            signal(SIGPIPE, SIG_IGN)
            writer.start()
            if works {
                let data = try Dataset(csv: path, target: "y")
                #expect(data.rowCount == 300_001)
            } else {
                let error = #expect(throws: DatasetError.self) {
                    try Dataset(csv: path, target: "y")
                }
                #expect(error?.description.contains("cannot be read twice") == true)
            }
            unlink(path)
        }
    }

    @Test("Bounds on rows hold")
    func rowLimit() throws {
        var options = ReadOptions(target: "y")
        options.limits.rows = 3
        #expect(try Sample.read("a,y\n1,0\n2,1\n3,0\n", options).rowCount == 3)
        #expect(throws: DatasetError.self) {
            try Sample.read("a,y\n1,0\n2,1\n3,0\n4,1\n", options)
        }
    }
}
