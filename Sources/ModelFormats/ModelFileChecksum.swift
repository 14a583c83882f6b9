import Crypto
import DecisionForests
import Synchronization

/// Whether the bytes of a `model.manta` are those that its checksum was made of: found once, by the
/// thread that asks first.
final class ModelFileChecksum: Sendable {
    private let bytes: ByteStorage
    private let version: UInt32
    private let found = Mutex<Bool?>(nil)

    /// For the bytes of a file that has at least a header, and a version that is read.
    init(of bytes: ByteStorage, version: UInt32) {
        (self.bytes, self.version) = (bytes, version)
    }

    /// Whether the file is undamaged. Who asks while another thread is finding out waits for it.
    var holds: Bool {
        found.withLock { known in
            if let known { return known }
            let isWhole = bytes.withBytes { raw in
                version == 2
                    ? raw[ModelFileLayout.checksumOfVersion2].elementsEqual(
                        ModelFile.checksumOfVersion2(raw))
                    : raw[ModelFileLayout.checksum].elementsEqual(ModelFile.checksum(of: raw))
            }
            known = isWhole
            return isWhole
        }
    }
}

extension ModelFile {
    /// The checksum a file carries: eight bytes, made of all that stands behind them.
    package static func checksum(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let covered = UnsafeRawBufferPointer(
            rebasing: bytes[ModelFileLayout.checksum.upperBound...])
        return withUnsafeBytes(of: XXHash64.hash(covered).littleEndian) { Array($0) }
    }

    /// The checksum of version 2: over all bytes, those of the checksum itself as zeros.
    package static func checksumOfVersion2(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let field = ModelFileLayout.checksumOfVersion2
        var hash = SHA256()
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<field.lowerBound]))
        hash.update(data: [UInt8](repeating: 0, count: field.count))
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[field.upperBound...]))
        return Array(hash.finalize())
    }
}
