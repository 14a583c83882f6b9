import DecisionForests
import Foundation
import Testing

/// Files that NumPy, scikit-learn and gzip write, against what they read from them.
@Suite("NPY, LibSVM and gzip files are read as their own programs read them", .serialized)
struct DataFilesTests {
    struct Answer: Decodable {
        struct Table: Decodable {
            let features: [UInt32]
            let labels: [Int64]
            let groups: [Int32]
        }

        let arrays: [String: [UInt32]]
        let svm: [String: Table]
    }

    private func files(_ folder: ScratchFolder) async throws -> Answer {
        let output = folder.file("answer.json")
        return try await LearningPython.run(
            "files.py", [output, folder.file("")], output: output, in: folder)
    }

    @Test("Every type, order and version of NPY, and every kind of file")
    func all() async throws {
        let folder = try ScratchFolder()
        let answer = try await files(folder)
        for (name, expected) in answer.arrays.sorted(by: { $0.key < $1.key }) {
            var options = ReadOptions(target: folder.file("labels.npy"))
            let data = try Dataset.load([folder.file(name)], options: options)
            #expect(data.features.values.map(\.bitPattern) == expected, "\(name)")
            #expect(
                data.target
                    == .classes(
                        labels: [.integer(1), .integer(2), .integer(3)],
                        indices: [2, 0, 2, 1, 0, 0, 2]))
            options = ReadOptions(target: "-1", task: .regression, weight: nil)
            options.ignore = ["0"]
            let column = try Dataset.load([folder.file(name)], options: options)
            #expect(column.featureNames == ["column_1"])
            #expect(
                column.target
                    == .values((0..<7).map { Float(bitPattern: expected[$0 * 3 + 2]) }))
        }
        #expect(answer.arrays.count == 72)
        try checkParts(folder, answer)
        try checkVectors(folder, answer)
        try checkGzip(folder)
        try checkBomb(folder)
    }

    private func checkParts(_ folder: ScratchFolder, _ answer: Answer) throws {
        let names = ["f8-False-C-1.npy", "f8-True-F-2.npy"]
        let paths = names.map { folder.file($0) }
        let data = try Dataset.load(paths, options: ReadOptions(target: "2", task: .regression))
        let expected = names.flatMap { answer.arrays[$0] ?? [] }
        #expect(data.rowCount == 14)
        #expect(data.columns[1].map(\.bitPattern) == (0..<14).map { expected[$0 * 3 + 1] })
        #expect(throws: DatasetError.self) {
            try Dataset.load(paths, options: ReadOptions(target: folder.file("labels.npy")))
        }
    }

    private func checkVectors(_ folder: ScratchFolder, _ answer: Answer) throws {
        for (name, table) in answer.svm {
            let options = ReadOptions(target: "y", group: "qid")
            let data = try Dataset.load([folder.file(name)], options: options)
            #expect(data.features.values.map(\.bitPattern) == table.features)
            #expect(data.groups == table.groups)
            guard case .classes(let labels, let indices) = data.target else {
                Issue.record("classes expected")
                return
            }
            #expect(indices.map { labels[Int($0)] } == table.labels.map { .integer($0) })
        }
    }

    private func checkGzip(_ folder: ScratchFolder) throws {
        let options = ReadOptions(target: "y")
        let path = folder.file("one.csv.gz")
        let data = try Dataset.load([path], options: options)
        #expect(data.rowCount == 100_000)
        #expect(data.columns[0] == (0..<100_000).map { Float($0) })
        let members = try Dataset.load([folder.file("members.csv.gz")], options: options)
        #expect(Sample.areEqual(members, data))
        // The bytes decide, not the name.
        try FileManager.default.copyItem(atPath: path, toPath: folder.file("plain.csv"))
        #expect(try Sample.areEqual(Dataset(csv: folder.file("plain.csv"), target: "y"), data))
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        var damaged = bytes
        damaged[bytes.count / 2] ^= 0x55
        var wrongSum = bytes
        wrongSum[bytes.count - 6] ^= 1
        for broken in [
            damaged, wrongSum, Array(bytes.dropLast(20)), Array(bytes.prefix(5)), bytes + [7],
        ] {
            #expect(throws: DatasetError.self) {
                try Dataset(csvBytes: broken, named: "b.csv.gz", target: "y")
            }
        }
        let chance = Chance(seed: 3)
        for turn in 0..<40 {
            var bytes = bytes
            let at = chance.index(below: bytes.count, UInt64(turn))
            bytes[at] = UInt8(truncatingIfNeeded: chance.bits(UInt64(turn + 1_000)))
            if let read = try? Dataset(csvBytes: bytes, named: "f", target: "y") {
                #expect(Sample.areEqual(read, data))
            }
        }
    }

    private func checkBomb(_ folder: ScratchFolder) throws {
        var options = ReadOptions(target: "y")
        let path = folder.file("bomb.csv.gz")
        options.limits.rows = 1_000
        #expect(throws: DatasetError.self) { try Dataset.load([path], options: options) }
        options.limits = ReadOptions.Limits()
        options.limits.expansionFloor = 1 << 20
        let error = #expect(throws: DatasetError.self) {
            try Dataset.load([path], options: options)
        }
        #expect(error?.description.contains("grows more than 200 times") == true)
    }
}
