import Foundation
import Jobs
import Synchronization

/// Large blobs whose home is this worker, because the cluster has no origin.
///
/// A folder beside the cache, which no other bound makes room in: what does not fit in its budget
/// is refused. A blob goes when nobody stored or read it here for the retention.
final class KeptBlobs: Sendable {
    let directory: String
    private let sizeMax: Int64
    /// Bytes of what is kept and of what is on its way.
    private let size: Mutex<Int64>

    /// - Throws: when the folder cannot be made or read.
    init(directory: String, sizeMax: Int64) throws {
        self.directory = directory
        self.sizeMax = sizeMax
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        var found: Int64 = 0
        for name in try files.contentsOfDirectory(atPath: directory) {
            let path = "\(directory)/\(name)"
            if name.isDigest {
                found += Int64(FileStatus(path)?.sizeInBytes ?? 0)
            } else {
                // A draft of a worker that was killed.
                unlink(path)
            }
        }
        size = Mutex(found)
    }

    /// The path of a blob that is kept here, used now; nil when it is not.
    func path(of digest: String) -> String? {
        let path = home(of: digest)
        return digest.isDigest && utimes(path, nil) == 0 ? path : nil
    }

    /// Digests of what is kept, at most `countMax`.
    func digests(_ countMax: Int) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return Array(names.lazy.filter(\.isDigest).prefix(countMax))
    }

    /// Keeps a blob whose content `fill` writes to a new file at the path it is given, answering
    /// what it wrote. One that is here already is not written again.
    ///
    /// - Parameter sizeInBytes: how much room it needs; `fill` must not write more.
    /// - Throws: `.full`, `.damaged` when the bytes have another digest, or what `fill` throws.
    func keep(
        _ digest: String, sizeInBytes: Int64,
        _ fill: (String) async throws -> (digest: String, sizeInBytes: Int64)
    ) async throws {
        if path(of: digest) != nil { return }
        guard digest.isDigest else { throw BlobStoreError.damaged(digest) }
        try reserve(sizeInBytes)
        let draft = "\(home(of: digest)).\(UUID().uuidString).part"
        do {
            let written = try await fill(draft)
            guard written.digest == digest, written.sizeInBytes == sizeInBytes else {
                throw BlobStoreError.damaged(digest)
            }
            try settle(draft, as: digest, sizeInBytes)
        } catch {
            unlink(draft)
            giveBack(sizeInBytes)
            throw error
        }
    }

    /// Removes a blob whose bytes are damaged.
    func forget(_ digest: String) {
        let path = home(of: digest)
        size.withLock { size in
            guard let status = FileStatus(path), unlink(path) == 0 else { return }
            size -= Int64(status.sizeInBytes)
        }
    }

    /// Removes what nobody used for so long; answers how many.
    func trim(unusedFor age: Duration) -> Int {
        let cutoff = Int(Date().timeIntervalSince1970) - Int(age.components.seconds)
        var removed = 0
        for digest in digests(.max) {
            let path = home(of: digest)
            guard let status = FileStatus(path), status.modifiedAt <= cutoff, unlink(path) == 0
            else { continue }
            giveBack(Int64(status.sizeInBytes))
            removed += 1
        }
        return removed
    }

    private func home(of digest: String) -> String { "\(directory)/\(digest)" }

    /// Two may have brought the same blob: the second one takes no room of its own.
    private func settle(_ draft: String, as digest: String, _ sizeInBytes: Int64) throws {
        let path = home(of: digest)
        try size.withLock { size in
            let wasThere = FileStatus(path) != nil
            guard chmod(draft, 0o400) == 0, rename(draft, path) == 0 else {
                throw BlobStoreError.unavailable(
                    "rename \(path): \(String(cString: strerror(errno)))")
            }
            if wasThere { size -= sizeInBytes }
        }
    }

    private func reserve(_ sizeInBytes: Int64) throws(BlobStoreError) {
        try size.withLock { size throws(BlobStoreError) in
            guard sizeInBytes <= sizeMax - size else {
                throw .full("a worker keeps at most \(sizeMax) bytes for a cluster without origin")
            }
            size += sizeInBytes
        }
    }

    private func giveBack(_ sizeInBytes: Int64) { size.withLock { $0 -= sizeInBytes } }
}
