import Crypto
import DecisionForests
import Foundation
import ModelFormats

/// Everything that decides a model's bytes: which data, how it is divided, and what learns.
///
/// It is kept with the model (`manta/train.json`) and, when the run is logged, as the run's tag, so
/// that `manta verify` can train again.
struct TrainingRecipe: Codable, Hashable, Sendable {
    /// One file of the data.
    struct Part: Codable, Hashable, Sendable {
        /// Absolute, where it was when it was read.
        var path: String
        /// Of the whole file; nil for a pipe, which cannot be read twice.
        var sha256: String?
        var size: Int?
    }

    static let currentVersion = 1
    /// Relative to the model directory.
    static let path = "manta/train.json"
    /// Thousands of parts fit.
    static let sizeMax = 4 << 20

    var version = currentVersion
    /// In the order of the rows.
    var data: [Part]
    var target: String
    var task: Dataset.TargetKind
    var weight: String?
    var group: String?
    var ignore: [String] = []
    var categorical: [String] = []
    /// A share of the rows, drawn by `seed`, that judges the model.
    var holdout: Double?
    /// The first rows, which train; the others judge.
    var trainRows: Int?
    /// A share of the training rows that decides when to stop.
    var validation: Double?
    /// Decides how rows are divided.
    var seed: UInt64
    var learner: LearnerSpec
    /// The release that trained.
    var mantaVersion: String

    private enum CodingKeys: String, CodingKey {
        case version, data, target, task, weight, group, ignore, categorical, holdout
        case trainRows = "train_rows"
        case validation, seed, learner
        case mantaVersion = "manta_version"
    }

    /// As JSON in one line, keys sorted.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reads what `json` writes; it may come from anyone.
    init(json text: some DataProtocol, from place: String) throws {
        do {
            self = try JSONDecoder().decode(TrainingRecipe.self, from: Data(text))
        } catch let error as LearnerSpecError {
            throw CommandFailure("\(place) cannot be followed: \(error)")
        } catch {
            throw CommandFailure("\(place) is not what `manta train` writes: \(error)")
        }
        guard version == Self.currentVersion else {
            throw CommandFailure(
                "\(place) has version \(version); this build reads \(Self.currentVersion).")
        }
        if let problem { throw CommandFailure("\(place) cannot be followed: \(problem)") }
    }

    init(
        data: [Part], target: String, task: Dataset.TargetKind, seed: UInt64, learner: LearnerSpec
    ) {
        (self.data, self.target, self.task) = (data, target, task)
        (self.seed, self.learner, mantaVersion) = (seed, learner, Commands.mantaVersion)
    }

    /// What is wrong with the numbers, in words; nil if nothing is.
    var problem: String? {
        let open = { (share: Double?) in share.map { $0 > 0 && $0 < 1 } ?? true }
        if data.isEmpty { return "no data file is named." }
        if !open(holdout) { return "--holdout must be between 0 and 1." }
        if !open(validation) { return "--validation must be between 0 and 1." }
        if let trainRows, trainRows < 1 { return "--train-rows must be at least 1." }
        if holdout != nil && trainRows != nil {
            return "--holdout and --train-rows exclude each other."
        }
        return nil
    }

    /// What tells this training from others: all but where the files lie and who trained.
    var fingerprint: FileDigest {
        get throws {
            var plain = self
            plain.mantaVersion = ""
            for index in plain.data.indices { plain.data[index].path = "" }
            return FileDigest(of: Array(try plain.json().utf8))
        }
    }
}

extension TrainingRecipe.Part {
    /// The file at `path` with its digest, read in pieces; no digest for what is not a regular
    /// file.
    init(of path: String) throws {
        let url = URL(fileURLWithPath: path)
        self.path = url.path
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw CommandFailure(
                "\(path) cannot be read: \(String(cString: strerror(errno))).",
                code: errno == ENOENT ? ExitStatus.notFound : ExitStatus.failure)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return }
        let file = try FileHandle(forReadingFrom: url)
        defer { try? file.close() }
        var hash = SHA256()
        var size = 0
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(data: piece)
            size += piece.count
        }
        sha256 = FileDigest(bytes: Array(hash.finalize()))?.hex
        self.size = size
    }
}
