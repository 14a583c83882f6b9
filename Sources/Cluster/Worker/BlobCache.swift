import Foundation
import Jobs

/// Verified blobs as read-only files of this machine, fetched once however many processes want
/// them.
///
/// A file stands under its digest only when it is complete and may be read, mapped and executed.
struct BlobCache: Sendable {
    let shelf: BlobShelf
    private let store: any BlobStore
    private let fetches = SingleFlight<String>()

    init(store: any BlobStore, directory: String) throws {
        try self.init(store: store, shelf: BlobShelf(directory: directory))
    }

    init(store: any BlobStore, shelf: BlobShelf) {
        self.store = store
        self.shelf = shelf
    }

    /// The blob's path, fetched first when it is not here.
    ///
    /// - Parameter hold: keeps the file from being trimmed; nil: for an hour at least it is not.
    /// - Throws: `BlobStoreError`, or `.missing` for what is no digest.
    func path(of digest: String, heldBy hold: BlobHold? = nil) async throws -> String {
        guard digest.isDigest else { throw BlobStoreError.missing(digest) }
        hold?.add(digest)
        return try await path(of: digest, sharing: digest) { [store] fetched in
            try await store.get(digest, toFileAt: fetched)
        }
    }

    /// As `path(of:)`, for content that is known by its digest but comes from elsewhere than the
    /// store.
    ///
    /// - Parameter fetch: writes the content, verified, to a new file at the path it is given; a
    ///   file that is left after it failed is removed.
    func path(
        of digest: String, from fetch: @escaping @Sendable (_ path: String) async throws -> Void
    ) async throws -> String {
        // Not shared with those who ask the store for the same digest: they may fail otherwise.
        try await path(of: digest, sharing: "fetch " + digest, fetch)
    }

    /// - Parameter key: who asks with the same one meanwhile waits for the same fetch.
    private func path(
        of digest: String, sharing key: String,
        _ fetch: @escaping @Sendable (_ path: String) async throws -> Void
    ) async throws -> String {
        guard digest.isDigest else { throw BlobStoreError.missing(digest) }
        let home = shelf.path(of: digest)
        if shelf.use(digest) { return home }
        return try await fetches.value(of: key) { [shelf] in
            let fetched = "\(home).\(UUID().uuidString).part"
            do {
                try await fetch(fetched)
            } catch {
                unlink(fetched)
                throw error
            }
            try BlobCache.move(fetched, to: home)
            shelf.noteArrival(of: digest)
            return home
        }
    }

    /// Gives a file a home in the store and a place here; the file is taken.
    ///
    /// - Throws: `BlobStoreError.damaged` when its bytes have another digest than was said.
    func take(
        fileAt path: String, expecting digest: String, heldBy hold: BlobHold? = nil
    ) async throws -> String {
        let actual = try await store.put(fileAt: path)
        guard actual == digest else { throw BlobStoreError.damaged(digest) }
        hold?.add(digest)
        let home = shelf.path(of: digest)
        do {
            try BlobCache.move(path, to: home)
            shelf.noteArrival(of: digest)
            return home
        } catch BlobCacheError.otherFileSystem {
            return try await self.path(of: digest)
        }
    }

    /// Removes what was longest not used until at most `sizeMax` bytes are left. What an attempt
    /// holds stays, and what was used within `age`: somebody may be about to open it.
    func trim(to sizeMax: Int64, unusedFor age: Duration = .seconds(3_600)) async throws {
        let cutoff = Int(Date().timeIntervalSince1970) - Int(age.components.seconds)
        try await BlockingWork.run { [shelf] in
            let directory = shelf.directory
            var files = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap {
                name in FileStatus("\(directory)/\(name)").map { (name: name, status: $0) }
            }
            files.sort { $0.status.modifiedAt < $1.status.modifiedAt }
            var size = files.reduce(Int64(0)) { $0 + Int64($1.status.sizeInBytes) }
            for file in files where file.status.modifiedAt <= cutoff {
                // Drafts of a killed worker are of no use to anybody.
                guard size > sizeMax || !file.name.isDigest else { continue }
                if shelf.remove(file.name, unusedSince: cutoff) {
                    size -= Int64(file.status.sizeInBytes)
                }
            }
        }
    }

    /// Moves a complete file to its place; the file is gone from where it was, also after a
    /// failure.
    private static func move(_ path: String, to home: String) throws {
        if chmod(path, 0o500) == 0 && rename(path, home) == 0 { return }
        let code = errno
        unlink(path)
        if code == EXDEV { throw BlobCacheError.otherFileSystem }
        throw BlobCacheError.notMoved(to: home, cause: String(cString: strerror(code)))
    }
}

/// A file could not be put into the cache.
enum BlobCacheError: Error, CustomStringConvertible {
    case otherFileSystem
    case notMoved(to: String, cause: String)

    var description: String {
        switch self {
        case .otherFileSystem: "the cache is on another file system"
        case .notMoved(let home, let cause): "\(home) could not be made: \(cause)"
        }
    }
}

extension String {
    /// Whether this is a SHA-256 in lower-case hex digits, so that it can stand in a path or a key.
    var isDigest: Bool {
        utf8.count == 64
            && utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }
}
