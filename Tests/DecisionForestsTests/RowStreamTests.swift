import Foundation
import Testing

@testable import DecisionForests

@Suite("Rows come from files some at a time, as one reading of the whole would give them")
struct RowStreamTests {
    private static let names = ["a", "colour", "b"]
    private static let kinds: [FeatureKind] = [
        .numeric, .categorical(levels: ["blue", "red"]), .numeric,
    ]

    /// A folder that goes away with the test.
    private final class Folder {
        let path = NSTemporaryDirectory() + "rows-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ bytes: Data, _ name: String) throws -> String {
            try bytes.write(to: URL(fileURLWithPath: path + "/" + name))
            return path + "/" + name
        }
    }

    private func read(_ paths: [String], threads: Int = 2) throws -> [FeatureMatrix] {
        var options = RowStream.Options()
        options.threads = threads
        let stream = try RowStream(
            paths, names: Self.names, kinds: Self.kinds, options: options)
        var all: [FeatureMatrix] = []
        while let rows = try stream.next() { all.append(rows) }
        return all
    }

    @Test("Many blocks of a CSV: columns by name, others left out, unknown texts missing")
    func csv() throws {
        let folder = try Folder()
        var text = "target,b,extra,colour,a\n"
        let colours = ["red", "blue", "green", "", "NA"]
        let count = 120_000
        for row in 0..<count {
            text += "7,\(row).5,some words,\(colours[row % 5]),\(row % 11 == 0 ? "" : "\(row)")\n"
        }
        let path = try folder.write(Data(text.utf8), "rows.csv")
        for threads in [1, 3] {
            let parts = try read([path], threads: threads)
            #expect(parts.count > 1)
            let values = parts.flatMap(\.values)
            try #require(values.count == count * 3)
            for row in 0..<count {
                let a = values[row * 3]
                #expect(row % 11 == 0 ? a.isNaN : a == Float(row))
                let colour = values[row * 3 + 1]
                #expect(row % 5 < 2 ? colour == Float(1 - row % 5) : colour.isNaN)
                #expect(values[row * 3 + 2] == Float(row) + 0.5)
            }
        }
    }

    @Test("A column that is not there is named; a cell that is no number stands at its line")
    func faults() throws {
        let folder = try Folder()
        let short = try folder.write(Data("a,b\n1,2\n".utf8), "short.csv")
        #expect {
            try read([short])
        } throws: {
            "\($0)".contains("'colour'") && "\($0)".contains("short.csv")
        }
        var text = "a,colour,b\n"
        for row in 0..<200_000 { text += "\(row),red,\(row == 190_000 ? "many" : "1")\n" }
        let bad = try folder.write(Data(text.utf8), "bad.csv")
        #expect {
            try read([bad])
        } throws: {
            "\($0)".contains("line 190002") && "\($0)".contains("'b'")
        }
        #expect(throws: DatasetError.self) { try read([folder.path + "/none.csv"]) }
        #expect(try read([folder.write(Data("a,colour,b\n".utf8), "empty.csv")]).isEmpty)
    }

    @Test("Tabs and several parts")
    func parts() throws {
        let folder = try Folder()
        let first = try folder.write(Data("a\tcolour\tb\n1\tred\t2\n".utf8), "1.tsv")
        _ = try folder.write(Data("a\tcolour\tb\n3\tblue\t4\n".utf8), "2.tsv")
        let rows = try read([folder.path + "/*.tsv"]).flatMap(\.values)
        #expect(rows == [1, 1, 2, 3, 0, 4])
        #expect(try read([first]).flatMap(\.values) == [1, 1, 2])
    }

    @Test("LibSVM: absent entries are zero, what the model does not know is left out")
    func libsvm() throws {
        let folder = try Folder()
        let kinds: [FeatureKind] = [.numeric, .numeric]
        func rows(_ text: String) throws -> [Float] {
            let path = try folder.write(Data(text.utf8), "rows.svm")
            let stream = try RowStream([path], names: ["feature_0", "feature_1"], kinds: kinds)
            var values: [Float] = []
            while let rows = try stream.next() { values += rows.values }
            return values
        }
        #expect(try rows("1 1:5 2:6\n0 2:7 9:1\n-1\n# none\n1:8\n") == [5, 6, 0, 7, 0, 0, 8, 0])
        #expect(try rows("1 0:5 1:6 # six\n0 qid:3 1:nan\n")[..<3] == [5, 6, 0])
        #expect(throws: DatasetError.self) { try rows("1 2:5 1:6\n") }
        #expect(throws: DatasetError.self) { try rows("1 1:word\n") }
        #expect(throws: DatasetError.self) {
            let path = try folder.write(Data("1 1:2\n".utf8), "kinds.svm")
            _ = try RowStream([path], names: Self.names, kinds: Self.kinds)
        }
    }

    @Test("NPY: by name where a target stood between them, else by place; either order of bytes")
    func npy() throws {
        let folder = try Folder()
        func file(_ name: String, columnMajor: Bool, _ shape: [Int], _ values: [Float]) throws
            -> String
        {
            var header =
                "{'descr': '<f4', 'fortran_order': \(columnMajor ? "True" : "False"), "
                + "'shape': (\(shape[0]), \(shape[1])), }"
            while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
            header += "\n"
            var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
            withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) {
                data.append(contentsOf: $0)
            }
            data.append(Data(header.utf8))
            for value in values {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
            }
            return try folder.write(data, name)
        }
        func rows(_ path: String, _ names: [String]) throws -> [Float] {
            let stream = try RowStream(
                [path], names: names, kinds: names.map { _ in .numeric })
            var values: [Float] = []
            while let rows = try stream.next() { values += rows.values }
            return values
        }
        let rowMajor = try file("r.npy", columnMajor: false, [2, 3], [1, 2, 3, 4, 5, 6])
        let columnMajor = try file("c.npy", columnMajor: true, [2, 3], [1, 4, 2, 5, 3, 6])
        for path in [rowMajor, columnMajor] {
            #expect(try rows(path, ["column_0", "column_2"]) == [1, 3, 4, 6])
            #expect(try rows(path, ["x", "y", "z"]) == [1, 2, 3, 4, 5, 6])
            #expect(throws: DatasetError.self) { try rows(path, ["x", "y"]) }
        }
        let cut = try file("cut.npy", columnMajor: false, [900_000_000, 3], [1, 2, 3])
        #expect(throws: DatasetError.self) { try rows(cut, ["x", "y", "z"]) }
        let many = (0..<300_000).map { Float($0) }
        let long = try file("long.npy", columnMajor: false, [100_000, 3], many)
        #expect(try rows(long, ["x", "y", "z"]) == many)
    }
}
