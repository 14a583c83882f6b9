import Foundation

/// A directory that all workers share, where larger blobs live: `<two digits>/<digest>`.
struct OriginDirectory: Sendable {
    let path: String

    func file(for digest: String) -> String { "\(path)/\(digest.prefix(2))/\(digest)" }

    func contains(_ digest: String) -> Bool {
        access(file(for: digest), R_OK) == 0
    }

    /// Copies a file in while hashing it once more, so that a file that changes is noticed.
    func put(fileAt source: String, digest: String) throws(BlobStoreError) {
        if contains(digest) { return }
        try makeFolder(for: digest)
        try BlobFiles.copy(source, to: file(for: digest), expecting: digest)
    }

    func put(_ bytes: [UInt8], digest: String) throws(BlobStoreError) {
        if contains(digest) { return }
        try makeFolder(for: digest)
        try BlobFiles.write(bytes, to: file(for: digest))
    }

    func get(_ digest: String) throws(BlobStoreError) -> [UInt8] {
        guard contains(digest) else { throw .missing(digest) }
        let bytes = try BlobFiles.read(file(for: digest), maximum: OriginLimits.blobMax)
        guard BlobFiles.digest(of: bytes) == digest else {
            setAside(digest)
            throw .damaged(digest)
        }
        return bytes
    }

    func get(_ digest: String, toFileAt target: String) throws(BlobStoreError) {
        guard contains(digest) else { throw .missing(digest) }
        do throws(BlobStoreError) {
            try BlobFiles.copy(file(for: digest), to: target, expecting: digest)
        } catch {
            if case .damaged = error { setAside(digest) }
            throw error
        }
    }

    /// Removes a blob; one that is not there is no error.
    func remove(_ digest: String) throws(BlobStoreError) {
        guard unlink(file(for: digest)) != 0, errno != ENOENT else { return }
        throw .unavailable("remove \(file(for: digest)): \(String(cString: strerror(errno)))")
    }

    /// Takes a damaged file out of the way, so that the next `put` of the same bytes heals the
    /// blob.
    private func setAside(_ digest: String) {
        rename(file(for: digest), file(for: digest) + ".damaged")
    }

    private func makeFolder(for digest: String) throws(BlobStoreError) {
        let folder = "\(path)/\(digest.prefix(2))"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .unavailable("the origin directory \(path): \(error.localizedDescription)")
        }
    }
}

extension OriginDirectory: BlobOrigin {
    func holds(_ digest: String) async throws(BlobStoreError) -> Bool {
        try await BlobFiles.blocking { () throws(BlobStoreError) in contains(digest) }
    }

    func keep(_ bytes: [UInt8], digest: String) async throws(BlobStoreError) {
        try await BlobFiles.blocking { () throws(BlobStoreError) in
            try put(bytes, digest: digest)
        }
    }

    func keep(
        fileAt source: String, sizeInBytes: Int64, digest: String
    ) async throws(BlobStoreError) {
        try await BlobFiles.blocking { () throws(BlobStoreError) in
            try put(fileAt: source, digest: digest)
        }
    }

    func read(_ digest: String) async throws(BlobStoreError) -> [UInt8] {
        try await BlobFiles.blocking { () throws(BlobStoreError) in try get(digest) }
    }

    func read(_ digest: String, toFileAt target: String) async throws(BlobStoreError) {
        try await BlobFiles.blocking { () throws(BlobStoreError) in
            try get(digest, toFileAt: target)
        }
    }

    func forget(_ digest: String) async throws(BlobStoreError) {
        try await BlobFiles.blocking { () throws(BlobStoreError) in try remove(digest) }
    }
}
