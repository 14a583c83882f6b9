import DecisionForests
import Foundation
import Testing

@Suite("Files that are not what they say are errors, never traps")
struct HostileFilesTests {
    private func load(
        _ bytes: [UInt8], _ name: String, _ change: (inout ReadOptions) -> Void = { _ in }
    ) throws -> Dataset {
        let folder = try ScratchFolder()
        try Data(bytes).write(to: URL(fileURLWithPath: folder.file(name)))
        var options = ReadOptions(target: "0", task: .regression)
        change(&options)
        return try Dataset.load([folder.file(name)], options: options)
    }

    private func npy(
        _ header: String, version: UInt8 = 1, data: [UInt8] = [], length: Int? = nil
    ) -> [UInt8] {
        let text = Array(header.utf8)
        let count = length ?? text.count
        let sizes = (0..<(version == 1 ? 2 : 4)).map {
            UInt8(truncatingIfNeeded: count >> ($0 * 8))
        }
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + sizes + text + data
    }

    private let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n"
    private let numbers: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 64]

    @Test("A header may be written by hand")
    func goodHeaders() throws {
        for header in [
            good, "{\"shape\":(1,2),\"descr\":\"<f4\",\"fortran_order\":False}",
            "  { 'fortran_order' : True , 'descr' : '<f4' , 'shape' : ( 1 , 2 , ) }",
        ] {
            let data = try load(npy(header, data: numbers), "a.npy")
            #expect(data.columns == [[2]])
            #expect(data.target == .values([1]))
        }
        // By its first bytes alone.
        #expect(try load(npy(good, version: 3, data: numbers), "a.bin").columns == [[2]])
    }

    @Test(
        "Headers that are wrong",
        arguments: [
            "", "{", "{}", "()", "{'descr': '<f4'}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -2)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'more': 1}",
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': '|O', 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 60000)}",
            "{'descr': '<f4', 'fortran_order': True, 'shape': (2000000000, 60000)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}",
            "{'descr': '<f4", "{'shape': (1, 2", "{'fortran_order': Fals",
        ])
    func badHeaders(header: String) {
        #expect(throws: DatasetError.self) { try load(npy(header, data: numbers), "a.npy") }
    }

    @Test("Versions, lengths and ends that are wrong")
    func badFrames() {
        for bytes in [
            npy(good, version: 0, data: numbers), npy(good, version: 9, data: numbers),
            npy(good, data: numbers, length: 9), npy(good, version: 2, length: 1 << 31),
            npy(good, data: Array(numbers.dropLast())), npy(good, data: numbers + [0]), [0x93],
            Array(npy(good).prefix(20)), [],
        ] {
            #expect(throws: DatasetError.self) { try load(bytes, "a.npy") }
        }
    }

    @Test("Infinities and columns that are not there")
    func badNumbers() {
        let infinite: [UInt8] = [0, 0, 128, 63, 0, 0, 128, 127]
        #expect(throws: DatasetError.self) { try load(npy(good, data: infinite), "a.npy") }
        for change: (inout ReadOptions) -> Void in [
            { $0.target = "2" }, { $0.target = "-3" }, { $0.target = "y" },
            { $0.ignore = ["0"] }, { $0.ignore = ["1"] }, { $0.weight = "0" },
            { $0.categorical = ["1"] }, { $0.target = "/nowhere.npy" },
        ] {
            #expect(throws: DatasetError.self) {
                try load(npy(good, data: numbers), "a.npy", change)
            }
        }
    }

    private func vectors(
        _ text: String, _ change: (inout ReadOptions) -> Void = { _ in }
    ) throws -> Dataset {
        try load(Array(text.utf8), "a.svm", change)
    }

    @Test("Lines of index and value: comments, gaps, both bases")
    func vectorLines() throws {
        let data = try vectors("# no row\n1 1:2.5 3:-1 # a\r\n\n-2\n0.5\t2:nan 4:1e-3")
        #expect(data.target == .values([1, -2, 0.5]))
        #expect(data.columns[0] == [2.5, 0, 0])
        #expect(data.columns[1][2].isNaN)
        #expect(data.columns[2] == [-1, 0, 0])
        #expect(data.columns[3] == [0, 0, 0.001])
        #expect(try vectors("1 0:2 1:3\n").columns == [[2], [3]])
        #expect(try vectors("1 1:2\n") { $0.firstIndex = 0 }.columns == [[0], [2]])
        #expect(try vectors("1 1:2\n") { $0.featureCount = 3 }.columns == [[2], [0], [0]])
        #expect(try vectors("1 qid:4 1:2\n2 qid:3 1:1\n") { $0.group = "qid" }.groups == [4, 3])
    }

    @Test(
        "Lines that are wrong",
        arguments: [
            "", "# only\n", "x 1:2\n", "1 1\n", "1 1:\n", "1 :2\n", "1 a:2\n", "1 -1:2\n",
            "1 2:1 2:3\n", "1 2:1 1:3\n", "1 1:inf\n", "1 1:1e39\n", "1,2 1:3\n", "1\n",
            "1 65537:1\n", "1 99999999999999999999:1\n", "1 1:2 qid:1\n", "1 qid:x 1:2\n",
            "nan 1:1\n",
        ])
    func badVectors(text: String) {
        #expect(throws: DatasetError.self) { try vectors(text) }
    }

    @Test("Few bytes cannot mean endless zeros, and options must fit")
    func vectorLimits() {
        #expect(throws: DatasetError.self) {
            try vectors(String(repeating: "1\n", count: 1_000) + "1 60000:1\n") {
                $0.limits.cells = 1 << 20
            }
        }
        for change: (inout ReadOptions) -> Void in [
            { $0.firstIndex = 2 }, { $0.firstIndex = -1 }, { $0.featureCount = 0 },
            { $0.featureCount = -5 }, { $0.featureCount = .max }, { $0.weight = "w" },
            { $0.group = "g" }, { $0.group = "qid" }, { $0.ignore = ["a"] }, { $0.limits.rows = 1 },
        ] {
            #expect(throws: DatasetError.self) { try vectors("1 1:2\n2 1:3\n", change) }
        }
        #expect(throws: DatasetError.self) { try vectors("1 0:2\n") { $0.firstIndex = 1 } }
        #expect(throws: DatasetError.self) {
            try vectors("1.5 1:2\n") { $0.task = .classification }
        }
    }

    @Test("Changed bytes of any format read or throw")
    func fuzz() throws {
        let seeds: [(String, [UInt8])] = [
            ("a.npy", npy(good, data: numbers)),
            ("a.svm", Array("1 qid:2 1:2.5 3:-1 # a\n-1 2:nan\n".utf8)),
            ("a.csv", Array("a,\"b\",0\r\n1,x y,3\n\"q\"\"r\",NA,1\n".utf8)),
        ]
        var draws = Draws(seed: 8)
        for turn in 0..<1_500 {
            var (name, bytes) = seeds[turn % 3]
            for _ in 0...draws.below(3) where !bytes.isEmpty {
                let at = draws.below(bytes.count)
                switch draws.below(3) {
                case 0: bytes.remove(at: at)
                case 1: bytes[at] = UInt8(truncatingIfNeeded: draws.bits())
                default: bytes.insert(Array("\",\n:-e9()'".utf8)[draws.below(10)], at: at)
                }
            }
            if let data = try? load(bytes, name) { #expect(data.rowCount > 0) }
        }
    }
}
