import DecisionForests
import Foundation
import Testing

@testable import ModelFormats

@Suite("model.manta")
struct ModelFileTests {
    @Test("A model comes back as it was written", arguments: ModelExample.all)
    func roundTrip(_ example: ModelExample) throws {
        let model = example.model
        #expect(try ModelFile.decode(try ModelFile.encode(model)) == model)
    }

    @Test("The same model gives the same bytes", arguments: ModelExample.all)
    func isDeterministic(_ example: ModelExample) throws {
        #expect(try ModelFile.encode(example.model) == ModelFile.encode(example.model))
    }

    @Test("A bit pattern is kept, also that of minus zero")
    func minusZero() throws {
        let model = stump(threshold: -0.0, leaves: [-0.0, 1])
        let read = try ModelFile.decode(try ModelFile.encode(model))
        #expect(read.ensemble.trees[0].threshold[0].sign == .minus)
        #expect(read.ensemble.trees[0].leafValues[0].sign == .minus)
    }

    @Test("The header names the other form")
    func otherForm() throws {
        let digest = FileDigest(of: [1, 2, 3])
        let bytes = try ModelFile.encode(stump(), otherFormDigest: digest)
        let storage = ByteStorage(copying: bytes)
        #expect(try ModelFile.decodeWithDigest(storage).otherFormDigest == digest)
        let alone = ByteStorage(copying: try ModelFile.encode(stump()))
        #expect(try ModelFile.decodeWithDigest(alone).otherFormDigest == .none)
    }

    @Test("Every section starts on 64 bytes and holds its column as it is documented")
    func layout() throws {
        let bytes = try ModelFile.encode(stump(threshold: 2.5))
        #expect(Array(bytes.prefix(8)) == Array("MANTA\r\n\u{1A}".utf8))
        #expect(bytes[8] == 3)
        let offsets = (0..<27).map { index in
            bytes[(192 + 16 * index)...].prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        #expect(offsets.allSatisfy { $0 % 64 == 0 })
        #expect(offsets[0] == 640)
        // Section 8 is the column of thresholds: 2.5, then two leaves' zeros.
        #expect(
            Array(bytes[offsets[8]..<(offsets[8] + 12)]) == [0, 0, 0x20, 0x40]
                + [UInt8](repeating: 0, count: 8))
    }

    @Test("The bytes of version 3 do not change")
    func fixedBytes() throws {
        let digest = FileDigest(of: try ModelFile.encode(stump()))
        #expect(digest.hex == "548112cc3a8a0055ed39b2b4a954fea5323b0e7c2f2993aa4b13588a086f6918")
    }

    @Test("A file of version 2 is read as before, and those bytes do not change")
    func version2() throws {
        let bytes = version2(of: try ModelFile.encode(stump()))
        let digest = FileDigest(of: bytes)
        #expect(digest.hex == "79f8c82435ad9f5b012cdc5932aeb7f6b172bc0332e3bd6ac48b83e615b02c16")
        #expect(try ModelFile.decode(bytes) == stump())
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: ModelFileError.self) { try ModelFile.decode(changed) }
        }
    }

    @Test("Every kind of model is read from version 2", arguments: ModelExample.all)
    func version2OfAll(_ example: ModelExample) throws {
        let bytes = version2(of: try ModelFile.encode(example.model))
        #expect(try ModelFile.decode(bytes) == example.model)
    }

    @Test("Parts that version 2 did not know are refused in it", arguments: [8, 16, 32] as [UInt8])
    func laterParts(part: UInt8) throws {
        var bytes = version2(of: try ModelFile.encode(stump()))
        bytes[111] |= part
        let checksum = bytes.withUnsafeBytes(ModelFile.checksumOfVersion2)
        bytes.replaceSubrange(ModelFileLayout.checksumOfVersion2, with: checksum)
        #expect(
            throws: ModelFileError.malformed(
                part: "parts", problem: "an unknown one is announced")
        ) { try ModelFile.decode(bytes) }
    }

    @Test("Zeros as missing values, unknown categories and infinite thresholds come back")
    func otherLibraries() throws {
        var model = stump(threshold: .infinity, zeroIsMissing: [true, false])
        #expect(try ModelFile.decode(try ModelFile.encode(model)) == model)
        model = stump(threshold: -.infinity, unknownCategory: .goesRight)
        #expect(try ModelFile.decode(try ModelFile.encode(model)) == model)
    }

    @Test("Covers come back for the trees that have them; wrong ones are refused")
    func covers() throws {
        let known = stump(covers: [[10, 4, 6], []])
        let read = try ModelFile.decode(try ModelFile.encode(known))
        #expect(read == known)
        #expect(read.ensemble.trees.map(\.cover) == [[10, 4, 6], []])
        let none = stump(covers: [[], []])
        #expect(try ModelFile.decode(try ModelFile.encode(none)) == none)
        for wrong: [Float] in [[1, 2], [1, .nan, 1], [1, -1, 2], [.infinity, 1, 1]] {
            #expect(throws: ModelFileError.self) {
                try ModelFile.encode(stump(covers: [[10, 4, 6], wrong]))
            }
        }
    }

    @Test("A file is loaded from its path; one cut short meanwhile harms nobody")
    func load() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.manta"
        let example = ModelExample.all[0].model
        try Data(try ModelFile.encode(example)).write(to: URL(filePath: path))
        let model = try ModelFile.load(path)
        #expect(truncate(path, 0) == 0)
        #expect(model == example)
        #expect(throws: ModelDirectoryError.self) { try ModelFile.load(path) }
        #expect(throws: ModelDirectoryError.self) { try ModelFile.load(path + "-absent") }
        #expect(throws: ModelDirectoryError.self) { try ModelFile.load(folder.path) }
    }

    @Test("XXH64 as its specification gives it")
    func checksum() {
        func hash(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes(XXHash64.hash) }
        #expect(hash("") == 0xEF46_DB37_51D8_E999)
        #expect(hash("abc") == 0x44BC_2CF5_AD77_0999)
        #expect(
            hash("Nobody inspects the spammish repetition") == 0xFBCE_A83C_8A37_8BF1)
    }

    /// The same model as version 2 had it: without the last two sections, with its checksum.
    private func version2(of bytes: [UInt8]) -> [UInt8] {
        let entry = ModelFileLayout.sectionTableStart + 16 * 24
        let (start, size) = (number(at: entry, in: bytes), number(at: entry + 8, in: bytes))
        var old = Array(bytes[..<(start + size)])
        old[8] = 2
        old[136] = 25
        for place in 0..<8 {
            old[16 + place] = UInt8(truncatingIfNeeded: old.count >> (8 * place))
        }
        old.replaceSubrange(entry + 16..<640, with: [UInt8](repeating: 0, count: 640 - entry - 16))
        let checksum = old.withUnsafeBytes(ModelFile.checksumOfVersion2)
        old.replaceSubrange(ModelFileLayout.checksumOfVersion2, with: checksum)
        return old
    }

    private func number(at offset: Int, in bytes: [UInt8]) -> Int {
        bytes[offset...].prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    @Test("An unknown version is refused by its number")
    func unknownVersion() throws {
        var bytes = try ModelFile.encode(stump())
        bytes[8] = 9
        #expect(throws: ModelFileError.unsupportedVersion(9)) { try ModelFile.decode(bytes) }
    }

    @Test("Other files, cut files and changed files are refused")
    func damage() throws {
        let bytes = try ModelFile.encode(stump())
        #expect(throws: ModelFileError.notAModelFile) { try ModelFile.decode([]) }
        #expect(throws: ModelFileError.notAModelFile) {
            try ModelFile.decode(Array("PK\u{3}\u{4} and so on".utf8))
        }
        #expect(throws: ModelFileError.self) { try ModelFile.decode(Array(bytes.dropLast())) }
        #expect(throws: ModelFileError.self) { try ModelFile.decode(bytes + [0]) }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: ModelFileError.self) { try ModelFile.decode(changed) }
            // Behind the size, damage is called so whatever else it makes wrong.
            guard index >= ModelFileLayout.checksum.lowerBound else { continue }
            #expect(throws: ModelFileError.checksumMismatch) { try ModelFile.decode(changed) }
        }
    }

    @Test("A model that breaks a rule is neither written nor read")
    func rules() {
        expectRefusal(of: stump(threshold: .nan), part: "tree 0")
        expectRefusal(of: stump(leaves: [.nan, 1]), part: "tree 0")
        expectRefusal(of: stump(feature: 2), part: "tree 0")
        expectRefusal(of: stump(feature: -2), part: "tree 0")
        expectRefusal(of: stump(leftChild: 0), part: "tree 0")
        expectRefusal(of: stump(leftChild: 2), part: "tree 0")
        expectRefusal(of: stump(leftChild: .max), part: "tree 0")
        expectRefusal(of: stump(leaves: [1]), part: "tree 0")
        expectRefusal(of: stump(baseScores: [1]), part: "base scores")
        expectRefusal(of: stump(baseScores: [.nan]), part: "ensemble")
        expectRefusal(of: stump(baseScores: []), part: "ensemble")
        expectRefusal(of: ModelExample(name: "", treeCount: 0).model, part: "ensemble")
        expectRefusal(of: stump(names: ["a", "a"]), part: "feature names")
        expectRefusal(of: stump(names: ["a", ""]), part: "feature names")
        expectRefusal(of: stump(names: ["a"]), part: "feature names")
        expectRefusal(of: stump(optional: ["c"]), part: "optional features")
        expectRefusal(
            of: stump(task: .classification(classes: [.integer(1), .string("1")])), part: "outputs")
    }

    @Test("Nodes that share a child, or that nothing leads to, are refused")
    func treeShape() {
        let leaf = Tree.leaf
        for children: [Int32] in [[1, 3, 3, 0, 0], [3, 0, 0, 0, 0], [1, 2, 0, 0, 0]] {
            var model = ModelExample(name: "", treeCount: 1, depth: 0, classes: nil).model
            let features = children.map { $0 == 0 ? leaf : 0 }
            let tree = Tree(
                splitFeature: features, threshold: [0, 0, 0, 0, 0],
                missingGoesLeft: Array(repeating: false, count: 5), leftChild: children,
                leafValues: [1])
            model = TrainedModel(
                ensemble: TreeEnsemble(
                    featureCount: model.featureNames.count, outputCount: 1, trees: [tree]),
                featureNames: model.featureNames, targetName: "y", task: .regression,
                learner: "RandomForestRegressor", parameters: [], trainingRowCount: 1)
            expectRefusal(of: model, part: "tree 0")
        }
    }

    @Test("Two classes with one label, and labels of both kinds, are refused")
    func labelRules() {
        var example = ModelExample(name: "", classes: [.integer(1), .integer(1)])
        expectRefusal(of: example.model, part: "classes")
        example.classes = [.integer(1), .string("b")]
        expectRefusal(of: example.model, part: "classes")
    }

    private func expectRefusal(of model: TrainedModel, part: String) {
        do {
            _ = try ModelFile.encode(model)
            Issue.record("written although \(part) is wrong")
        } catch {
            guard case .malformed(let found, _) = error else {
                Issue.record("refused with \(error)")
                return
            }
            #expect(found == part)
        }
    }

    private func stump(
        feature: Int32 = 0, threshold: Float = 1, leftChild: Int32 = 1, leaves: [Float] = [0, 1],
        names: [String] = ["a", "b"], optional: Set<String> = [],
        task: TrainedModel.Task = .regression, baseScores: [Float]? = nil,
        zeroIsMissing: [Bool] = [],
        unknownCategory: TreeEnsemble.UnknownCategory = .followsMissing,
        covers: [[Float]] = [[]]
    ) -> TrainedModel {
        TrainedModel(
            ensemble: TreeEnsemble(
                featureCount: 2, outputCount: 1,
                trees: covers.map {
                    Tree(
                        splitFeature: [feature, Tree.leaf, Tree.leaf],
                        threshold: [threshold, 0, 0],
                        missingGoesLeft: [true, false, false], leftChild: [leftChild, 0, 1],
                        leafValues: leaves, cover: $0)
                }, baseScores: baseScores, zeroIsMissing: zeroIsMissing,
                unknownCategory: unknownCategory),
            featureNames: names, optionalFeatures: optional, targetName: "y", task: task,
            learner: "RandomForestRegressor", parameters: [.init("seed", "1")],
            trainingRowCount: 10)
    }
}
