package import DecisionForests

import Crypto

/// `model.manta`: a whole `TrainedModel` as flat columns, the form our serving and warm start read.
///
/// The same model gives the same bytes. Reading treats the bytes as hostile: it ends in time and
/// memory proportional to their number, with a model that passes `ModelCheck`, or with an error.
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
        try decodeWithDigest(bytes).model
    }

    /// Reads what `encode` wrote, and which other form was written with it (`.none` if none was).
    package static func decodeWithDigest(
        _ bytes: [UInt8]
    ) throws(ModelFileError) -> (model: TrainedModel, otherFormDigest: FileDigest) {
        let reader = try ModelFileReader(bytes: bytes)
        let model = try reader.decode()
        try ModelCheck.check(model)
        return (model, reader.otherFormDigest)
    }

    /// The SHA-256 of the whole file: what `/model/load` reports.
    package static func digest(of bytes: [UInt8]) -> FileDigest {
        FileDigest(of: bytes)
    }

    /// The checksum a file carries: over all its bytes, those of the checksum itself as zeros.
    static func checksum(of bytes: [UInt8]) -> [UInt8] {
        let field = ModelFileLayout.checksum
        var hash = SHA256()
        bytes.withUnsafeBytes { raw in
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: raw[..<field.lowerBound]))
            hash.update(data: [UInt8](repeating: 0, count: field.count))
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: raw[field.upperBound...]))
        }
        return Array(hash.finalize())
    }
}
