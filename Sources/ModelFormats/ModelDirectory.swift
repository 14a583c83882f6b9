package import DecisionForests

import Foundation

/// An MLflow model directory: `model.manta` for us, `model.onnx` for everyone else, and the files
/// `mlflow.pyfunc` needs to load it with none of our code.
package enum ModelDirectory {
    /// The form our serving reads, relative to the directory.
    package static let modelPath = "manta/model.manta"
    /// The training distribution of every feature, if it was known.
    package static let profilePath = "manta/profile.json"
    /// The form Python reads.
    package static let onnxPath = "model.onnx"
    /// MLflow's description of the directory.
    package static let mlmodelPath = "MLmodel"
    /// The largest profile read.
    package static let profileSizeMax = 16 << 20
    /// Under `metadata` in `MLmodel`: the SHA-256 of `manta/model.manta`.
    static let digestKey = "manta_model_sha256"

    /// Writes `model` to `directory`, which is made if needed; existing files are replaced.
    ///
    /// `inputExample` holds rows of `featureNames.count` values (NaN for missing); without one, a
    /// row is made of split thresholds. `MLmodel` is written last, so a directory that has it is
    /// complete.
    package static func write(
        _ model: TrainedModel, to directory: String, facts: MLmodelFacts,
        inputExample: [[Float]] = [], profile: TrainingProfile? = nil
    ) throws(ModelDirectoryError) -> ModelDirectoryManifest {
        let example = inputExample.isEmpty ? [exampleRow(for: model)] : inputExample
        guard example.allSatisfy({ $0.count == model.featureNames.count }) else {
            throw .invalidOption(
                name: "inputExample",
                problem: "every row needs \(model.featureNames.count) values")
        }
        let files = try files(of: model, facts: facts, example: example, profile: profile)
        if profile == nil { try remove(profilePath, in: directory) }
        var entries: [ModelDirectoryManifest.Entry] = []
        for (path, bytes) in files {
            try write(bytes, to: path, in: directory)
            entries.append(
                .init(path: path, sizeInBytes: bytes.count, sha256: FileDigest(of: bytes)))
        }
        return ModelDirectoryManifest(entries: entries)
    }

    private static func files(
        of model: TrainedModel, facts: MLmodelFacts, example: [[Float]], profile: TrainingProfile?
    ) throws(ModelDirectoryError) -> [(path: String, bytes: [UInt8])] {
        let onnx: [UInt8]
        let manta: [UInt8]
        do {
            onnx = try ONNXWriter.encode(model)
            manta = try ModelFile.encode(model, otherFormDigest: FileDigest(of: onnx))
        } catch {
            throw .modelFile(path: modelPath, cause: error)
        }
        let columns = JSONText.array(model.featureNames.map(JSONText.string))
        let rows = JSONText.array(
            example.map { row in
                JSONText.array(zip(row, model.featureKinds).map(cell))
            })
        let split = JSONText.object([("columns", columns), ("data", rows)])
        let writer = MLmodelWriter(
            facts: facts, signature: ModelSignature(of: model), modelDigest: FileDigest(of: manta))
        var files: [(path: String, bytes: [UInt8])] = [(onnxPath, onnx), (modelPath, manta)]
        if let profile { files.append((profilePath, Array(profile.json.utf8))) }
        files += [
            ("input_example.json", Array(split.utf8)),
            (
                "serving_input_example.json",
                Array(JSONText.object([("dataframe_split", split)]).utf8)
            ),
            ("requirements.txt", Array(writer.requirements.utf8)),
            ("python_env.yaml", Array(writer.pythonEnvironment.utf8)),
            ("conda.yaml", Array(writer.condaEnvironment.utf8)),
            (mlmodelPath, Array(writer.mlmodel.utf8)),
        ]
        return files
    }

    /// A value as people write it: a level's name, true or false, a number; null if it is missing.
    private static func cell(_ value: Float, of kind: FeatureKind) -> String {
        switch kind {
        case .numeric: return JSONText.number(value)
        case .boolean: return value.isNaN ? "null" : value == 0 ? "false" : "true"
        case .categorical(let levels):
            guard let code = Int(exactly: value), levels.indices.contains(code) else {
                return "null"
            }
            return JSONText.string(levels[code])
        }
    }

    /// One row of plausible values: for every number the first threshold met, or 0; else the first
    /// level, or false.
    private static func exampleRow(for model: TrainedModel) -> [Float] {
        var row = [Float?](repeating: nil, count: model.featureNames.count)
        for tree in model.ensemble.trees {
            for (feature, threshold) in zip(tree.splitFeature, tree.threshold)
            where row.indices.contains(Int(feature)) && row[Int(feature)] == nil
                && threshold.isFinite && model.featureKinds[Int(feature)] == .numeric
            {
                row[Int(feature)] = threshold
            }
        }
        return row.map { $0 ?? 0 }
    }

    /// A profile left by an earlier model would be taken for this one's.
    private static func remove(
        _ path: String, in directory: String
    ) throws(ModelDirectoryError) {
        let file = directory + "/" + path
        guard unlink(file) != 0, errno != ENOENT, errno != ENOTDIR else { return }
        throw .fileSystem(
            path: file, operation: "remove", cause: String(cString: strerror(errno)))
    }

    private static func write(
        _ bytes: [UInt8], to path: String, in directory: String
    ) throws(ModelDirectoryError) {
        let url = URL(fileURLWithPath: directory).appendingPathComponent(path)
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url, options: .atomic)
        } catch {
            throw .fileSystem(
                path: url.path, operation: "write", cause: error.localizedDescription)
        }
    }
}

/// The files of a written model directory: what an uploader sends and a downloader checks.
package struct ModelDirectoryManifest: Sendable, Hashable {
    /// One file.
    package struct Entry: Sendable, Hashable {
        /// Relative to the directory, with `/`.
        package let path: String
        /// Its length.
        package let sizeInBytes: Int
        /// Its digest.
        package let sha256: FileDigest
    }

    /// In writing order; `MLmodel` comes last, so that a copy made in this order is complete once
    /// it has one.
    package let entries: [Entry]

    /// All files together: MLflow's `model_size_bytes`.
    package var sizeInBytes: Int { entries.reduce(0) { $0 + $1.sizeInBytes } }

    /// The digest of the file at `path`, if it is part of the directory.
    package func sha256(of path: String) -> FileDigest? {
        entries.first { $0.path == path }?.sha256
    }
}
