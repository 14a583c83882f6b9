package import DecisionForests

import Foundation

/// A model read from a directory, ready to be served.
package struct LoadedModel: Sendable {
    /// The model itself.
    package let model: TrainedModel
    /// What it takes and answers, as `MLmodel` says.
    package let signature: ModelSignature
    /// The digest of the file that was read (`manta/model.manta`).
    package let sha256: FileDigest
    /// Who made it, and when.
    package let facts: MLmodelFacts
    /// The training distribution, if it was logged.
    package let profile: TrainingProfile?
}

extension ModelDirectory {
    /// Reads the model in `directory`, verifying every digest that was noted when it was written.
    ///
    /// `model.onnx` may be missing (serving does not need it); if it is there, it must be the form
    /// the model was written with, so that Python and this process cannot answer differently.
    package static func read(at directory: String) throws(ModelDirectoryError) -> LoadedModel {
        let mlmodel = try mlmodel(in: directory)
        let bytes: ByteStorage
        do {
            bytes = try BoundedFile.storage(
                directory + "/" + modelPath, sizeMax: ModelFile.sizeMax)
        } catch .missingFile {
            throw .unsupportedFlavor(found: mlmodel.flavors)
        }
        let digest = FileDigest(of: bytes)
        if let expected = mlmodel.modelDigest, expected != digest {
            throw .digestMismatch(path: modelPath, expected: expected, actual: digest)
        }
        let model: TrainedModel
        let otherForm: FileDigest
        do {
            (model, otherForm) = try ModelFile.decodeWithDigest(bytes)
        } catch {
            throw .modelFile(path: modelPath, cause: error)
        }
        try checkONNX(in: directory, expected: otherForm)
        let signature = mlmodel.signature ?? ModelSignature(of: model)
        guard signature.inputs.map(\.name) == model.featureNames else {
            throw .signatureMismatch(
                problem: "its inputs are not the model's \(model.featureNames.count) features")
        }
        return LoadedModel(
            model: model, signature: signature, sha256: digest, facts: mlmodel.facts,
            profile: try profile(of: model, in: directory))
    }

    private static func mlmodel(in directory: String) throws(ModelDirectoryError) -> MLmodelReader {
        let bytes = try BoundedFile.read(
            directory + "/" + mlmodelPath, sizeMax: MLmodelReader.sizeMax)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformedMLmodel(problem: "it is not UTF-8")
        }
        return try MLmodelReader(text: text)
    }

    private static func checkONNX(
        in directory: String, expected: FileDigest
    ) throws(ModelDirectoryError) {
        guard expected != .none else { return }
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(
                directory + "/" + onnxPath, sizeMax: ONNXWriter.sizeMax)
        } catch .missingFile {
            return
        }
        let actual = FileDigest(of: bytes)
        guard actual == expected else {
            throw .digestMismatch(path: onnxPath, expected: expected, actual: actual)
        }
    }

    private static func profile(
        of model: TrainedModel, in directory: String
    ) throws(ModelDirectoryError) -> TrainingProfile? {
        do throws(ModelDirectoryError) {
            let bytes = try BoundedFile.read(
                directory + "/" + profilePath, sizeMax: profileSizeMax)
            let profile = try TrainingProfile(json: bytes)
            guard profile.features.map(\.name) == model.featureNames,
                profile.features.map(\.kind) == model.featureKinds.map(\.name)
            else {
                throw TrainingProfile.refusal("its features are not the model's")
            }
            return profile
        } catch .missingFile {
            return nil
        }
    }
}
