import DecisionForests
import Testing

@Suite("Columns get the kind that all of their cells say")
struct CSVKindsTests {
    private func read(
        _ text: String, _ change: (inout ReadOptions) -> Void = { _ in }
    ) throws -> Dataset {
        var options = ReadOptions(target: "y")
        change(&options)
        return try Sample.read(text, options)
    }

    @Test("Words make a column categorical; levels are in the order of their bytes")
    func categorical() throws {
        let data = try read("c,y\nred,1\n,2\n blue ,1\n\"red\",2\nBlue,1\nNA,1\n\"a,\"\"b\",2\n")
        #expect(data.featureKinds == [.categorical(levels: ["Blue", "a,\"b", "blue", "red"])])
        #expect(data.columns[0].map { $0.isNaN ? -1 : $0 } == [3, -1, 2, 3, 0, -1, 1])
    }

    @Test(
        "true, false, yes and no make a column boolean, in any case",
        arguments: [("true", "FALSE"), ("Yes", "no"), ("YES", "No"), ("True", "False")])
    func boolean(yes: String, no: String) throws {
        let data = try read("b,y\n\(yes),1\n\(no),2\n,1\n\(yes),2\n")
        #expect(data.featureKinds == [.boolean])
        #expect(data.columns[0].map { $0.isNaN ? -1 : $0 } == [1, 0, -1, 1])
    }

    @Test("Mixtures of both pairs, letters and numbers are categorical")
    func noBooleans() throws {
        for pair in [("true", "no"), ("t", "f"), ("true", "1"), ("yes", "maybe")] {
            let data = try read("b,y\n\(pair.0),1\n\(pair.1),2\n")
            #expect(data.featureKinds[0].levels?.count == 2)
        }
        #expect(try read("b,y\n1,1\n0,2\n").featureKinds == [.numeric])
    }

    @Test("A column with nothing in it is numeric")
    func empty() throws {
        let data = try read("e,y\n,1\nNA,2\n")
        #expect(data.featureKinds == [.numeric])
        #expect(data.columns[0].allSatisfy { $0.isNaN })
    }

    /// More rows than are looked at before reading, and more than one block.
    private func late(_ cell: String) -> String {
        var text = "a,b,y\n"
        for row in 0..<150_000 { text += "\(row % 50),1.25,\(row % 2)\n" }
        return text + "\(cell),2.5,1\n"
    }

    @Test("A word in the last row makes the whole column categorical", arguments: [1, 3])
    func lateWord(threads: Int) throws {
        let data = try read(late("x")) { $0.threads = threads }
        #expect(data.featureKinds[0].levels?.count == 51)
        #expect(data.featureKinds[1] == .numeric)
        let levels = try #require(data.featureKinds[0].levels)
        #expect((0..<150_000).allSatisfy { levels[Int(data.columns[0][$0])] == "\($0 % 50)" })
        #expect(levels[Int(data.columns[0][150_000])] == "x")
        #expect(data.columns[1].last == 2.5)
    }

    @Test("Forced to be numbers, the late word is an error with its line")
    func lateError() throws {
        let error = #expect(throws: DatasetError.self) {
            try read(late("x")) { $0.numeric = ["a"] }
        }
        guard case .cell(_, 150_002, "a", "x", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("A target that turns from numbers to words, or has too many for classes, is right")
    func lateTarget() throws {
        var text = "a,y\n"
        for row in 0..<2_000 { text += "1,\(Double(row) + 0.5)\n" }
        guard case .values(let values) = try read(text).target else {
            Issue.record("numbers expected")
            return
        }
        #expect(values[1999] == 1999.5)
        guard case .classes(let labels, let indices) = try read(text + "1,many\n").target else {
            Issue.record("classes expected")
            return
        }
        #expect(labels.count == 2_001)
        #expect(labels[Int(indices[7])] == .string("7.5"))
        var whole = "a,y\n"
        for row in 0..<70_000 { whole += "1,\(max(0, row - 1_500))\n" }
        guard case .values(let numbers) = try read(whole).target else {
            Issue.record("numbers expected")
            return
        }
        #expect(numbers.last == 68_499)
        #expect(throws: DatasetError.self) { try read(whole) { $0.task = .classification } }
    }

    @Test("Large whole numbers stay exact as classes")
    func largeClasses() throws {
        let data = try read("a,y\n1,9007199254740993\n2,9007199254740992\n")
        #expect(
            data.target
                == .classes(
                    labels: [.integer(9_007_199_254_740_992), .integer(9_007_199_254_740_993)],
                    indices: [1, 0]))
    }

    @Test("Numbers can be declared categorical")
    func declared() throws {
        let data = try read("z,y\n10,1\n9,2\n1.0,1\n") { $0.categorical = ["z"] }
        #expect(data.featureKinds == [.categorical(levels: ["1.0", "10", "9"])])
        #expect(data.columns[0] == [1, 2, 0])
        let words = try read("z,y\ntrue,1\nfalse,2\n") { $0.categorical = ["z"] }
        #expect(words.featureKinds == [.categorical(levels: ["false", "true"])])
    }

    @Test("With a model's kinds, codes are the model's and strangers are missing")
    func known() throws {
        let data = try read("c,b,n,y\nred,true,1,1\ngreen,maybe,x,2\nblue,0,3,1\n") {
            $0.featureKinds = [
                "c": .categorical(levels: ["red", "blue"]), "b": .boolean, "other": .numeric,
            ]
        }
        #expect(data.featureKinds[0] == .categorical(levels: ["red", "blue"]))
        #expect(data.columns[0].map { $0.isNaN ? -1 : $0 } == [0, -1, 1])
        #expect(data.columns[1].map { $0.isNaN ? -1 : $0 } == [1, -1, 0])
        #expect(throws: DatasetError.self) {
            try read("n,y\n1,1\nx,2\n") { $0.featureKinds = ["n": .numeric] }
        }
    }

    @Test("More than 65,536 names are an error that names the first")
    func manyLevels() throws {
        var text = "id,y\n7,1\n"
        for row in 0...65_536 { text += "k\(row),\(row % 2)\n" }
        let error = #expect(throws: DatasetError.self) { try read(text) }
        guard case .cell(_, 3, "id", "k0", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let forced = #expect(throws: DatasetError.self) {
            try read(text) { $0.categorical = ["id"] }
        }
        guard case .cell(_, 65_538, "id", "k65535", _)? = forced else {
            Issue.record("\(String(describing: forced))")
            return
        }
    }

    @Test("Names that are no UTF-8, or endless, are refused")
    func badNames() {
        let bytes = Array("c,y\nM".utf8) + [0xE4] + Array("rz,1\nApril,2\n".utf8)
        #expect(throws: DatasetError.self) {
            try Dataset(csvBytes: bytes, named: "latin", target: "y")
        }
        let long = String(repeating: "x", count: 5_000)
        #expect(throws: DatasetError.self) { try read("c,y\n\(long),1\nb,2\n") }
    }

    @Test("Two spellings of one name are one level")
    func spellings() throws {
        let data = try read("c,y\ncaf\u{E9},1\ncafe\u{301},2\nbar,1\n")
        #expect(data.featureKinds[0].levels?.count == 2)
        #expect(data.columns[0] == [1, 1, 0])
    }

    @Test("Weights, groups and ignored columns are no features")
    func roles() throws {
        let data = try read("id,w,q,a,y\n7,0.5,b,1,0\n8,2,a,2,1\n9,0,b,3,0\n") {
            $0.weight = "w"
            $0.group = "q"
            $0.ignore = ["id"]
        }
        #expect(data.featureNames == ["a"])
        #expect(data.weights == [0.5, 2, 0])
        #expect(data.groups == [1, 0, 1])
        #expect(data.subset(rows: [2, 1]).groups == [1, 0])
        #expect(try Dataset(decoding: data.encoded()).groups == data.groups)
    }

    @Test("Columns that are used twice or are not there are refused")
    func wrongRoles() {
        let text = "a,b,y\n1,2,0\n3,4,1\n"
        let changes: [(inout ReadOptions) -> Void] = [
            { $0.weight = "nope" }, { $0.group = "y" }, { $0.ignore = ["y"] },
            { $0.ignore = ["nope"] }, { $0.categorical = ["zz"] }, { $0.ignore = ["a", "b"] },
            {
                $0.categorical = ["a"]
                $0.numeric = ["a"]
            },
            {
                $0.weight = "a"
                $0.group = "a"
            },
            { $0.delimiter = "." }, { $0.delimiter = "é" }, { $0.target = "z" },
        ]
        for change in changes {
            #expect(throws: DatasetError.self) { try read(text, change) }
        }
        for weight in ["-1", "", "NA", "x", "inf"] {
            #expect(throws: DatasetError.self) {
                try read("w,a,y\n\(weight),1,0\n1,2,1\n") { $0.weight = "w" }
            }
        }
        #expect(throws: DatasetError.self) {
            try read("q,a,y\n,1,0\n1,2,1\n") { $0.group = "q" }
        }
    }

    @Test("Other delimiters, other missing markers, no header")
    func dialects() throws {
        let semicolons = try read("a;y\n1,5;0\n2;1\n") { $0.delimiter = ";" }
        #expect(semicolons.featureKinds == [.categorical(levels: ["1,5", "2"])])
        let markers = try read("a,y\n-999,0\n2,1\n") { $0.missing = ["-999"] }
        #expect(markers.columns[0][1] == 2)
        let bare = try read("1,2,0\n3,4,1\n") {
            $0.hasHeader = false
            $0.target = "-1"
            $0.ignore = ["0"]
        }
        #expect(bare.featureNames == ["column_1"])
        #expect(bare.targetName == "column_2")
        #expect(bare.columns == [[2, 4]])
    }
}
