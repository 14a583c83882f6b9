/// A learner whose fit can be broken off at any time and gone on with later, by whoever has the
/// data, to the bytes that it would have had without the break.
///
/// All chance depends on the numbers of trees and rounds, so finished trees are all that has to be
/// kept.
package protocol ResumableLearner: Learner {
    /// The model of this data, as `fit(_:validation:threads:observer:)` finds it.
    ///
    /// - Throws: `DamagedBytes`, `EnsembleError` or `TrainingError` for checkpoints that are not
    ///   of this learner on this data; what `course.keep` throws.
    func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, course: FitCourse
    ) throws -> TrainedModel
}

/// What a fit starts from and whom it tells of its course; nothing of it changes a bit of the
/// model.
package struct FitCourse: Sendable {
    /// Told how far the fit is; what it throws ends the fit and is thrown on.
    package var observer: FitObserver?
    /// Called once, when the data is in bins.
    package var onBinned: (@Sendable () -> Void)?
    /// The data in the learner's bins, where somebody has binned it already.
    package var bins: BinnedDataset?
    /// What an interrupted fit of the same learner on the same data left.
    package var earlier: FitCheckpoint?
    /// Takes the rounds or trees that were finished since the last call. What it throws ends the
    /// fit and is thrown on.
    package var keep: (@Sendable (FitCheckpoint) throws -> Void)?
    /// Rounds or trees between two calls of `keep`, at least 1; nil for the learner's own choice.
    package var interval: Int?

    package init(observer: FitObserver? = nil) {
        self.observer = observer
    }
}

/// Finished trees of a fit that has not ended: all that it takes to go on with it.
package struct FitCheckpoint: Sendable, Hashable {
    /// The number of the first tree.
    package let first: Int
    /// With their splits' gains, which a finished model no longer has.
    package let trees: [Tree]
    /// A booster's scores before its first tree; empty for forests.
    package let baseScores: [Float]

    /// The number after the last tree's.
    package var end: Int { first + trees.count }

    /// A booster's rounds or a forest's trees until then.
    package var done: Int { end / max(1, baseScores.count) }

    init(first: Int, trees: [Tree], baseScores: [Float] = []) {
        (self.first, self.trees, self.baseScores) = (first, trees, baseScores)
    }

    /// Several that follow each other as one; nil for none.
    ///
    /// - Throws: `TrainingError.cannotResume` if they leave a gap or are of different fits.
    package init?(joining parts: [FitCheckpoint]) throws(TrainingError) {
        guard let start = parts.first else { return nil }
        var trees: [Tree] = []
        for part in parts {
            guard part.first == start.first + trees.count, part.baseScores == start.baseScores
            else {
                throw .cannotResume(
                    "tree \(part.first) follows \(start.first + trees.count) trees")
            }
            trees += part.trees
        }
        self.init(first: start.first, trees: trees, baseScores: start.baseScores)
    }

    /// Throws unless these are the first trees, sound ones, of an ensemble of this shape.
    ///
    /// - Parameters:
    ///   - leafWidth: Values per leaf.
    ///   - treeCountMax: Trees that the finished ensemble has at most.
    func check(
        featureCount: Int, outputCount: Int, leafWidth: Int, treeCountMax: Int
    ) throws {
        guard first == 0, !trees.isEmpty, trees.count <= treeCountMax else {
            throw TrainingError.cannotResume("it has trees \(first)..<\(end) of \(treeCountMax)")
        }
        let isProjected = trees.contains { $0.projections.count > 0 }
        try TreeEnsemble(
            featureCount: featureCount, outputCount: outputCount, leafWidth: leafWidth,
            trees: trees, aggregation: .sum,
            baseScores: baseScores.isEmpty
                ? Array(repeating: 0, count: outputCount) : baseScores,
            imputations: isProjected ? Array(repeating: 0, count: featureCount) : []
        ).validate()
    }
}

/// The binary form of a checkpoint: mark "MantaFit", version, the first tree's number, the base
/// scores with their count, then the trees as `TreeCodec` writes them.
extension FitCheckpoint {
    private static let mark = "MantaFit"
    private static let version: UInt32 = 1

    /// The checkpoint as bytes. Equal ones give equal bytes.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        for byte in Self.mark.utf8 { writer.append(byte) }
        writer.append(Self.version)
        writer.append(UInt32(first))
        writer.append(UInt32(baseScores.count))
        writer.append(floats: baseScores)
        return writer.bytes + TreeCodec.encode(trees)
    }

    /// What `encoded()` wrote; anything else throws. Whether the trees make sense is held against
    /// the data by the learner that goes on with them.
    package init(decoding bytes: [UInt8]) throws(DamagedBytes) {
        var reader = ByteReader(bytes, subject: "checkpoint")
        try reader.expect(mark: Self.mark, version: Self.version)
        first = Int(try reader.read(UInt32.self))
        baseScores = try reader.readFloats(reader.readCount(ofSize: 4))
        trees = try TreeCodec.decode(Array(bytes[reader.offset...]))
    }
}
