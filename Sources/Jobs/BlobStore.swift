/// Keeps immutable bytes under their SHA-256 (lower-case hex).
///
/// A blob has a home before `put` returns. Small ones (≤ `smallMax`) live in Redis under a byte
/// budget, larger ones in the origin, a directory or bucket that all workers share.
package protocol BlobStore: Sendable {
    /// Stores the bytes and answers their digest. Storing the same bytes again costs nothing.
    ///
    /// - Throws: `BlobStoreError.tooLarge`, `.full`, `.noOrigin`, `.unavailable`.
    func put(_ bytes: [UInt8]) async throws -> String

    /// As `put`, for a file that may not fit in memory. The file is read, not moved.
    func put(fileAt path: String) async throws -> String

    func contains(_ digest: String) async throws -> Bool

    /// - Throws: `BlobStoreError.missing`, `.damaged` when the bytes do not have this digest.
    func get(_ digest: String) async throws -> [UInt8]

    /// Writes the blob's verified bytes to `path` (write, fsync, rename).
    func get(_ digest: String, toFileAt path: String) async throws

    /// Removes large blobs that nobody used for the retention and no kept job names; answers how
    /// many. Called now and then by one who runs long; several at once do no harm.
    func clean() async throws -> Int
}

extension BlobStore {
    /// A store without an origin has nothing to clean.
    package func clean() async throws -> Int { 0 }
}

package enum BlobStoreError: Error, Sendable, Hashable, CustomStringConvertible {
    case missing(String)
    case damaged(String)
    case tooLarge(sizeInBytes: Int64, maximum: Int64)
    /// Larger than `smallMax` and no origin is configured.
    case noOrigin(sizeInBytes: Int64)
    case full(String)
    case unavailable(String)
    /// The origin says no, and will again until somebody changes a setting or a right.
    case refused(String)

    package var description: String {
        switch self {
        case .missing(let digest): "blob \(digest) does not exist"
        case .damaged(let digest): "the bytes are not those of blob \(digest)"
        case .tooLarge(let size, let maximum): "\(size) bytes; at most \(maximum) are stored"
        case .noOrigin(let size):
            "\(size) bytes need a place that all workers share; "
                + "start head and workers with --origin"
        case .full(let cause): "no space for a blob: \(cause)"
        case .unavailable(let cause): "the blob store cannot be reached: \(cause)"
        case .refused(let cause): "the origin refuses: \(cause)"
        }
    }
}
