import DecisionForests
import Foundation
import Testing

@Suite("Binary forms come back as they were, and damage is an error")
struct CodingTests {
    private func trees() throws -> [Tree] {
        try RandomForestClassifier(trees: 3, seed: 1)
            .grow(trees: 0..<3, on: SampleData.withMissing(rows: 80), threads: 1)
    }

    @Test("A data set of classes comes back", arguments: [true, false])
    func classes(hasWeights: Bool) throws {
        let plain = try SampleData.withMissing(rows: 50)
        let data = try Dataset(
            columns: plain.columns, featureNames: plain.featureNames, target: plain.target,
            targetName: "Ziel", weights: hasWeights ? Array(repeating: 0.5, count: 50) : nil)
        let back = try Dataset(decoding: data.encoded())
        #expect(back.encoded() == data.encoded())
        #expect(back.featureNames == data.featureNames)
        #expect(back.target == data.target)
        #expect(back.targetName == "Ziel")
        #expect(back.weights == data.weights)
        #expect(back.columns[1] == data.columns[1])
        #expect(back.columns[0].map(\.isNaN) == data.columns[0].map(\.isNaN))
    }

    @Test("A data set of numbers, and of words, comes back")
    func others() throws {
        let numbers = try SampleData.regression(rows: 20)
        #expect(try Dataset(decoding: numbers.encoded()).target == numbers.target)
        let words = try Dataset(
            csvBytes: Array("a,y\n1,ja\n2,nein\n".utf8), named: "w", target: "y")
        #expect(try Dataset(decoding: words.encoded()).target == words.target)
        #expect(
            try words.subset(rows: []).encoded()
                == Dataset(
                    decoding: words.subset(rows: []).encoded()
                ).encoded())
    }

    @Test("Every NaN has the same bytes")
    func nan() throws {
        let odd = Float(bitPattern: 0xFFC0_1234)
        let a = try SampleData.columns([[odd, 1]], classes: [0, 1])
        let b = try SampleData.columns([[.nan, 1]], classes: [0, 1])
        #expect(a.encoded() == b.encoded())
    }

    @Test("A fold and a data set travel as JSON")
    func json() throws {
        let data = try SampleData.withMissing(rows: 30)
        let back = try JSONDecoder().decode(Dataset.self, from: JSONEncoder().encode(data))
        #expect(back.encoded() == data.encoded())
        let fold = data.folds(3, seed: 1)[2]
        let again = try JSONDecoder().decode(Fold.self, from: JSONEncoder().encode(fold))
        #expect(again.index == 2)
        #expect(again.validationRows == fold.validationRows)
        #expect(again.train.encoded() == fold.train.encoded())
    }

    @Test("Trees come back")
    func treesRoundTrip() throws {
        let trees = try trees()
        #expect(try TreeCodec.decode(TreeCodec.encode(trees)) == trees)
        #expect(try TreeCodec.decode(TreeCodec.encode([])).isEmpty)
    }

    @Test("An unknown version is refused by name")
    func version() throws {
        var bytes = try TreeCodec.encode(trees())
        bytes["MantaTrees".utf8.count] = 9
        let error = #expect(throws: DamagedBytes.self) { try TreeCodec.decode(bytes) }
        #expect(error?.problem == "version 9 is unknown, this program reads version 4")
    }

    @Test("Every truncation of either form throws")
    func truncation() throws {
        let data = try SampleData.withMissing(rows: 12).encoded()
        for length in 0..<data.count {
            #expect(throws: DamagedBytes.self) { try Dataset(decoding: Array(data[..<length])) }
        }
        let trees = try TreeCodec.encode(trees())
        for length in stride(from: 0, to: trees.count, by: 3) {
            #expect(throws: DamagedBytes.self) { try TreeCodec.decode(Array(trees[..<length])) }
        }
    }

    @Test("Mutated data sets decode to valid ones or throw")
    func mutatedData() throws {
        let bytes = try SampleData.withMissing(rows: 12).encoded()
        for turn in 0..<4_000 {
            let mutant = mutate(bytes, turn: turn)
            guard let data = try? Dataset(decoding: mutant) else { continue }
            #expect(data.columns.allSatisfy { $0.count == data.rowCount })
            // Equal bytes but for the payload of NaN.
            #expect(data.encoded().count == mutant.count)
        }
    }

    @Test("Mutated trees make a model that predicts, or throw")
    func mutatedTrees() throws {
        let data = try SampleData.withMissing(rows: 80)
        let learner = try RandomForestClassifier(trees: 3, seed: 1)
        let bytes = try TreeCodec.encode(trees())
        var modelCount = 0
        for turn in 0..<1_500 {
            guard let trees = try? TreeCodec.decode(mutate(bytes, turn: turn)),
                let model = try? learner.model(from: trees, trainedOn: data)
            else { continue }
            modelCount += 1
            #expect(try model.predict(data).rowCount == 80)
        }
        #expect(modelCount > 0)
    }

    private func mutate(_ bytes: [UInt8], turn: Int) -> [UInt8] {
        let chance = Chance(seed: 5).child(UInt64(turn))
        var bytes = bytes
        for change in 0..<1 + turn % 3 {
            let draw = UInt64(change * 3)
            // Half of the changes hit the counts at the front.
            let reach = turn % 2 == 0 ? min(60, bytes.count) : bytes.count
            let at = chance.index(below: reach, draw)
            let value = UInt8(truncatingIfNeeded: chance.bits(draw + 1))
            bytes[at] = [value, 0, 0xFF, bytes[at] ^ 1][chance.index(below: 4, draw + 2)]
        }
        return bytes
    }
}
