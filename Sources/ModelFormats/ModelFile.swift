package import DecisionForests

/// `model.manta`: a whole `TrainedModel` as flat columns, the form our serving and warm start read.
///
/// The same model gives the same bytes. Reading treats the bytes as hostile: it ends in time and
/// memory proportional to their number, with a model that passes `ModelCheck`, or with an error.
/// The model's trees stay where the bytes are, and keep them alive.
package enum ModelFile {
    /// The largest file read. A forest of 100 million nodes fits.
    package static let sizeMax = 4 << 30

    /// Writes `model`, naming its other form (`model.onnx`) by digest.
    ///
    /// Throws `malformed` when the model breaks a rule that every reader relies on.
    package static func encode(
        _ model: TrainedModel, otherFormDigest: FileDigest = .none
    ) throws(ModelFileError) -> [UInt8] {
        try ModelCheck.check(model)
        return try ModelFileWriter(model: model, otherFormDigest: otherFormDigest).encode()
    }

    /// Reads what `encode` wrote.
    package static func decode(_ bytes: [UInt8]) throws(ModelFileError) -> TrainedModel {
        let storage = ByteStorage(count: bytes.count) { $0.copyBytes(from: bytes) }
        return try decodeWithDigest(storage).model
    }

    /// Reads what `encode` wrote, and which other form was written with it (`.none` if none was).
    ///
    /// No check needs what another has found, as all of them take any bytes: so the checksum is
    /// made on one thread while others look at the trees. A model is given out after all of them.
    package static func decodeWithDigest(
        _ bytes: ByteStorage
    ) throws(ModelFileError) -> (model: TrainedModel, otherFormDigest: FileDigest) {
        let version = try ModelFileReader.version(of: bytes)
        let checksum = ModelFileChecksum(of: bytes, version: version)
        do throws(ModelFileError) {
            let reader = try ModelFileReader(bytes: bytes, version: version)
            let model = try reader.decode(beside: { _ = checksum.holds })
            try ModelCheck.check(model)
            guard checksum.holds else { throw .checksumMismatch }
            return (model, reader.otherFormDigest)
        } catch {
            // Damage explains whatever else is wrong.
            throw checksum.holds ? error : ModelFileError.checksumMismatch
        }
    }

    /// Reads the file at `path`, which anybody may have written and may still write to: its bytes
    /// are copied into memory of this process before they are looked at.
    ///
    /// Fit for `TrainedModel.predictor()`; once the model itself is let go, its bytes go back to
    /// the system and only the predictor stays.
    package static func load(_ path: String) throws(ModelDirectoryError) -> TrainedModel {
        let bytes = try BoundedFile.storage(path, sizeMax: sizeMax)
        do {
            return try decodeWithDigest(bytes).model
        } catch {
            throw .modelFile(path: path, cause: error)
        }
    }
}
