import DecisionForests
import Testing

@Suite("A CSV becomes a data set, or an error that names the place")
struct DatasetCSVTests {
    private func read(
        _ text: String, task: Dataset.TargetKind = .automatic
    ) throws(DatasetError) -> Dataset {
        try Dataset(csvBytes: Array(text.utf8), named: "a.csv", target: "y", task: task)
    }

    @Test("Cells, quotes, CRLF and blank lines are read")
    func readsRows() throws {
        let data = try read("a,\"b \"\"x\"\", c\",y\r\n1, 2.5 ,0\r\n\r\n\"-3e-2\",1E2,1\r\n")
        #expect(data.featureNames == ["a", "b \"x\", c"])
        #expect(data.columns == [[1, -0.03], [2.5, 100]])
        #expect(data.target == .classes(labels: [.integer(0), .integer(1)], indices: [0, 1]))
    }

    @Test("A byte order mark and a missing last line end do not matter")
    func readsEdges() throws {
        let data = try read("\u{FEFF}a,y\n1,2\n3,4")
        #expect(data.featureNames == ["a"])
        #expect(data.rowCount == 2)
    }

    @Test("The target may stand anywhere")
    func targetPosition() throws {
        let data = try read("a,y,b\n1,0,2\n3,1,4\n")
        #expect(data.columns == [[1, 3], [2, 4]])
    }

    @Test(
        "Missing cells are NaN",
        arguments: ["", "NA", "NaN", "nan", "null", "\"\"", "None", "?", "N/A", " "])
    func missing(cell: String) throws {
        let data = try read("a,b,y\n\(cell),1,0\n2,2,1\n")
        #expect(data.columns[0][0].isNaN)
        #expect(data.optionalFeatures == ["a"])
    }

    @Test(
        "Numbers are rounded once, like the standard library's",
        arguments: [
            "0", "-0", "+1", "1.", ".5", "123456789.123456789", "0.1", "3.4028234e38", "1e-45",
            "1e-400", "9007199254740993", "0.30000001192092896", "12345678901234567890123", "1e22",
            "1.00000017881393432617187499", "1.00000017881393432617187501",
            "0.000000000000000000000000000000000000001e39",
            "4.7019774032891500318749461488889827e-38",
        ])
    func numbers(text: String) throws {
        let data = try read("a,y\n\(text),1\n")
        #expect(try data.columns[0][0] == #require(Float(text)))
    }

    @Test("Numbers of many digits too, at float32's own halfway points as well")
    func manyDigits() throws {
        let chance = Chance(seed: 2)
        var texts: [String] = []
        for turn in 0..<2_000 {
            let float = Float(chance.normal(UInt64(turn)))
            let halfway = (Double(float) + Double(float.nextUp)) / 2
            for value in [chance.normal(UInt64(turn + 9_000)), halfway, halfway.nextUp] {
                texts.append("\(value)")
            }
        }
        let data = try read("a,y\n" + texts.map { $0 + ",1\n" }.joined())
        #expect(try data.columns[0] == texts.map { try #require(Float($0)) })
    }

    @Test("Labels: integers stay integers, fractions and words do not")
    func labels() throws {
        let words = try read("a,y\n1,no\n2,yes\n3,no\n")
        #expect(
            words.target == .classes(labels: [.string("no"), .string("yes")], indices: [0, 1, 0]))
        let whole = try read("a,y\n1,7.0\n2,-3\n")
        #expect(whole.target == .classes(labels: [.integer(-3), .integer(7)], indices: [1, 0]))
        #expect(try read("a,y\n1,0.5\n2,1\n").target == .values([0.5, 1]))
        let forced = try read("a,y\n1,0.5\n2,1\n", task: .classification)
        #expect(
            forced.target == .classes(labels: [.string("0.5"), .string("1")], indices: [0, 1]))
        #expect(try read("a,y\n1,0\n2,1\n", task: .regression).target == .values([0, 1]))
    }

    @Test("More than 100 different integers are numbers")
    func manyIntegers() throws {
        let rows = (0...100).map { "1,\($0)\n" }.joined()
        #expect(try read("a,y\n" + rows).target == .values((0...100).map { Float($0) }))
    }

    @Test("A wrong cell is named with line, column and what was expected")
    func wrongCell() {
        var options = ReadOptions(target: "y")
        options.numeric = ["b"]
        let error = #expect(throws: DatasetError.self) {
            try Sample.read("a,b,y\n1,\"2\",0\n\n3,oops,1\n", options)
        }
        #expect(
            error?.description.hasSuffix(
                "a.csv, line 4, column 'b': found 'oops', expected a finite number, or nothing, "
                    + "NA, NaN or null for a missing value.") == true)
    }

    @Test(
        "What is no table is refused",
        arguments: [
            "", "\n\n", "a,y\n", "a,a,y\n1,2,3\n", "a,,y\n1,2,3\n", "y\n1\n", "a,b\n1,2\n",
            "a,y\n1\n", "a,y\n1,2,3\n", "a,y\n\"1,2\n", "a,y\n\"1\"x,2\n", "a,y\n1,\n",
            "a,y\n1,NA\n",
            "a,y\ninf,1\n", "a,y\n1e39,1\n", "a,y\r1,2\r", "a,y\n1,2\r3,4\n", "a,y\n1,2\n3\n",
            "a,y\n1,2\n3,4,5\n", "a,y\n1,2\n\"3,4\n", "a,y\n1,2\n  3\n",
        ])
    func refused(text: String) {
        #expect(throws: DatasetError.self) { try read(text) }
    }

    @Test(
        "What only looks like a number is a name",
        arguments: ["0x10", "1e", "1e+", "-", ".", "1_0", "+-1", "1.2.3", "1 2", "e5", "--1"])
    func names(cell: String) throws {
        let data = try read("a,y\n1,1\n\(cell),2\n")
        #expect(data.featureKinds == [.categorical(levels: ["1", cell].sorted(by: bytes))])
        var options = ReadOptions(target: "y")
        options.numeric = ["a"]
        #expect(throws: DatasetError.self) { try Sample.read("a,y\n1,1\n\(cell),2\n", options) }
    }

    private func bytes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    @Test("A regression target must be numbers")
    func regressionWords() {
        #expect(
            throws: DatasetError.cell(
                file: "a.csv", line: 3, column: "y", found: "high",
                expected: "a finite number, because the task is regression")
        ) { try read("a,y\n1,2\n2,high\n", task: .regression) }
    }

    @Test("A line without end is refused before it fills the memory")
    func endlessLine() throws {
        let folder = try ScratchFolder()
        let path = try folder.write(
            "a,y\n" + String(repeating: "1", count: 9 << 20), to: "long.csv")
        #expect(throws: DatasetError.self) { try Dataset(csv: path, target: "y") }
    }

    @Test("A header with too many columns is refused")
    func manyColumns() {
        let names = (0...65_536).map { "c\($0)" }.joined(separator: ",")
        #expect(throws: DatasetError.self) { try read(names + ",y\n") }
    }

    @Test("A file of many pieces reads as the same bytes do at once")
    func pieces() throws {
        let rows = (0..<60_000).map { "\($0),\"q\($0 % 3)\",\(Float($0) / 7),\($0 % 2)\n" }
        let text = "a,y,b,c\n" + rows.joined()
        let folder = try ScratchFolder()
        let path = try folder.write(text, to: "many.csv")
        let whole = try read(text)
        let read = try Dataset(csv: path, target: "y")
        #expect(read.rowCount == 60_000)
        #expect(read.columns == whole.columns)
        #expect(read.target == whole.target)
    }

    @Test("A missing file and a folder are named")
    func unreadable() {
        for path in ["/nowhere/at/all.csv", "/"] {
            let error = #expect(throws: DatasetError.self) { try Dataset(csv: path, target: "y") }
            #expect(error?.description.hasPrefix(path + " cannot be read: ") == true)
        }
    }

    @Test("Mutated bytes read or throw, never trap")
    func fuzz() {
        let seed = Array("a,\"b\",y\r\n1,2.5e1,0\n\"3\",NA,1\n,4,1\n".utf8)
        let chance = Chance(seed: 11)
        for turn in 0..<3_000 {
            var bytes = seed
            for change in 0..<1 + turn % 4 {
                let draw = UInt64(turn * 16 + change * 2)
                let at = chance.index(below: bytes.count, draw)
                let byte = Array("\",\r\n0e-.N\u{80}".utf8).randomElement(chance, draw + 1)
                if turn % 3 == 0 { bytes.remove(at: at) } else { bytes[at] = byte }
                if bytes.isEmpty { bytes = [0] }
            }
            if let data = try? Dataset(csvBytes: bytes, named: "f", target: "y") {
                #expect(data.rowCount > 0)
            }
        }
    }
}

extension Array {
    func randomElement(_ chance: Chance, _ counter: UInt64) -> Element {
        self[chance.index(below: count, counter)]
    }
}
