import Foundation
import Jobs

/// Verified blobs as read-only files of this machine, fetched once however many processes want them.
actor BlobCache {
    private let store: any BlobStore
    private let directory: String
    private var fetching: [String: Task<String, any Error>] = [:]

    init(store: any BlobStore, directory: String) throws {
        self.store = store
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// The blob's path, fetched first when it is not here.
    ///
    /// - Throws: `BlobStoreError`, or `.missing` for what is no digest.
    func path(of digest: String) async throws -> String {
        guard digest.utf8.count == 64, digest.utf8.allSatisfy(isHexDigit) else {
            throw BlobStoreError.missing(digest)
        }
        let path = "\(directory)/\(digest)"
        if FileManager.default.fileExists(atPath: path) { return path }
        if let running = fetching[digest] { return try await running.value }
        let store = store
        let fetch = Task {
            try await store.get(digest, toFileAt: path)
            try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: path)
            return path
        }
        fetching[digest] = fetch
        defer { fetching[digest] = nil }
        return try await fetch.value
    }

    /// Gives a file a home in the store and a place here; the file is taken.
    ///
    /// - Throws: `BlobStoreError.damaged` when its bytes have another digest than was said.
    func take(fileAt path: String, expecting digest: String) async throws -> String {
        let actual = try await store.put(fileAt: path)
        guard actual == digest else { throw BlobStoreError.damaged(digest) }
        let home = "\(directory)/\(digest)"
        if FileManager.default.fileExists(atPath: home) {
            try FileManager.default.removeItem(atPath: path)
        } else {
            try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: path)
            guard rename(path, home) == 0 else {
                throw BlobStoreError.unavailable(
                    "\(path) could not be moved to \(home): \(String(cString: strerror(errno)))")
            }
        }
        return home
    }

    private nonisolated func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
