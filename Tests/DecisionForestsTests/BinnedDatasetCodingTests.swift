import Foundation
import Testing

@testable import DecisionForests

@Suite("Bins that were sent grow the same trees, and damaged ones are refused")
struct BinnedDatasetCodingTests {
    private func binned(
        _ data: Dataset, seed: UInt64 = 1, threads: Int = 1
    ) throws -> (here: BinnedDataset, sent: BinnedDataset) {
        let here = BinnedDataset(data, seed: seed, threads: threads)
        return (here, try BinnedDataset(decoding: here.encoded()))
    }

    private func bytes(of storage: ByteStorage) -> [UInt8] { storage.withBytes { Array($0) } }

    private func decode(_ bytes: [UInt8]) throws -> BinnedDataset {
        try BinnedDataset(decoding: ByteStorage(copying: bytes))
    }

    @Test("Everything but the values comes back", arguments: [true, false])
    func roundTrip(hasWeights: Bool) throws {
        let plain = try SampleData.withMissing(rows: 77)
        let data = try Dataset(
            columns: plain.columns, featureNames: plain.featureNames, target: plain.target,
            targetName: "Ziel", weights: hasWeights ? Array(repeating: 0.5, count: 77) : nil)
        let (here, sent) = try binned(data)
        #expect(sent.featureNames == here.featureNames && sent.featureKinds == here.featureKinds)
        #expect(sent.targetName == "Ziel" && sent.target == here.target)
        #expect(sent.weights == here.weights && sent.rowCount == 77)
        #expect(sent.binner == here.binner && sent.leastInBin == here.leastInBin)
        #expect(sent.greatestInBin == here.greatestInBin)
        #expect(sent.dataset == nil && here.dataset != nil)
        let bins = here.bins.withUnsafeBufferPointer { Array($0) }
        #expect(sent.bins.withUnsafeBufferPointer { Array($0) } == bins)
        #expect(bytes(of: sent.encoded()) == bytes(of: here.encoded()))
        for feature in 0..<data.featureCount {
            let hasMissing = data.columns[feature].contains(where: \.isNaN)
            #expect(sent.hasMissing(feature: feature) == hasMissing)
        }
    }

    @Test("Bins in a mapped file grow the same trees as the values did")
    func mapped() throws {
        let data = try SampleData.withMissing(rows: 300)
        let here = BinnedDataset(data, seed: 4, threads: 2)
        let path = FileManager.default.temporaryDirectory.path + "/bins-\(UUID().uuidString)"
        try Data(bytes(of: here.encoded())).write(to: URL(fileURLWithPath: path))
        let sent = try BinnedDataset(decoding: ByteStorage(mappingFileAt: path))
        // The mapping stays when the name goes: the worker may trim its cache at any time.
        try FileManager.default.removeItem(atPath: path)
        let learner = try RandomForestClassifier(trees: 6, seed: 4)
        #expect(
            try learner.grow(trees: 0..<6, on: sent, threads: 3)
                == learner.grow(trees: 0..<6, on: here, threads: 1))
        let base = sent.bins.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
        #expect(base % ByteStorage.alignment == 0)
    }

    @Test("A regression's numbers, and a data set without rows, come back")
    func others() throws {
        let numbers = try SampleData.regression(rows: 21)
        #expect(try binned(numbers).sent.target == numbers.target)
        let empty = numbers.subset(rows: [])
        #expect(try binned(empty).sent.rowCount == 0)
    }

    @Test("A file that is missing, empty or a folder cannot be mapped")
    func unmappable() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let path = folder + "/empty-\(UUID().uuidString)"
        try Data().write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        for place in [path, folder, path + "-none"] {
            #expect(throws: DatasetError.self) { try ByteStorage(mappingFileAt: place) }
        }
    }

    @Test("Every truncation, and a byte too many, throws")
    func truncation() throws {
        let whole = bytes(of: try binned(SampleData.withMissing(rows: 12)).here.encoded())
        for length in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: DamagedBytes.self) { try decode(Array(whole[..<length])) }
        }
        #expect(throws: DamagedBytes.self) { try decode(whole + [0]) }
    }

    @Test("A bin beyond the last edge is refused")
    func unknownBin() throws {
        let data = try SampleData.columns([[1, 2, 3, 4]], classes: [0, 1, 0, 1])
        let whole = bytes(of: BinnedDataset(data, seed: 1, threads: 1).encoded())
        #expect(whole.suffix(4) == [0, 1, 2, 3])
        let error = #expect(throws: DamagedBytes.self) {
            try decode(whole.dropLast() + [4])
        }
        #expect(error?.problem == "column 0 has a bin that no edge closes")
        #expect(try decode(whole.dropLast() + [255]).hasMissing(feature: 0))
    }

    @Test("Mutated bins grow trees that make a valid model, or throw")
    func mutated() throws {
        let data = try SampleData.withMissing(rows: 40)
        let learner = try RandomForestClassifier(trees: 1, seed: 1)
        let whole = bytes(of: BinnedDataset(data, seed: 1, threads: 1).encoded())
        var grownCount = 0
        for turn in 0..<3_000 {
            let chance = Chance(seed: 9).child(UInt64(turn))
            var mutant = whole
            // Mostly the header, which everything else hangs on.
            let end = turn % 3 == 0 ? whole.count : 400
            mutant[chance.index(below: end, 0)] = UInt8(truncatingIfNeeded: chance.bits(1))
            guard let sent = try? decode(mutant) else { continue }
            grownCount += 1
            if let trees = try? learner.grow(trees: 0..<1, on: sent, threads: 1) {
                #expect(!trees[0].threshold.contains { !$0.isFinite })
            }
        }
        #expect(grownCount > 0)
    }

    @Test("Bytes are counted, however many there are")
    func counts() {
        let bytes = (0..<1_027).map { UInt8(truncatingIfNeeded: $0 * $0) }
        let counts = bytes.withUnsafeBufferPointer { ByteCounts.counts($0) }
        for value in 0..<256 {
            #expect(counts[value] == bytes.count { $0 == UInt8(value) })
        }
    }
}
