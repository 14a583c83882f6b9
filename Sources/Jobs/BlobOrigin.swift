/// Where larger blobs live: a place that all workers share.
///
/// Two kinds pass one suite: a directory (`OriginDirectory`) and a bucket (`OriginBucket`). A blob
/// is there whole or not at all, whatever dies meanwhile.
protocol BlobOrigin: Sendable {
    func holds(_ digest: String) async throws(BlobStoreError) -> Bool

    /// Stores the bytes, whose digest this is, unless they are there already.
    func keep(_ bytes: [UInt8], digest: String) async throws(BlobStoreError)

    /// As `keep`, for a file.
    ///
    /// - Throws: `.damaged` when the file has another digest by now.
    func keep(
        fileAt source: String, sizeInBytes: Int64, digest: String
    ) async throws(BlobStoreError)

    /// - Throws: `.missing`, or `.damaged`; a damaged blob is set aside, so that the next `keep`
    ///   of the same bytes heals it.
    func read(_ digest: String) async throws(BlobStoreError) -> [UInt8]

    /// As `read`, into a file that appears whole (write, fsync, rename).
    func read(_ digest: String, toFileAt target: String) async throws(BlobStoreError)

    /// Removes a blob; one that is not there is no error.
    func forget(_ digest: String) async throws(BlobStoreError)
}

/// The bounds of an origin.
enum OriginLimits {
    /// One blob has at most this many bytes.
    static let blobMax: Int64 = 64 << 30
    /// The most that is read into memory at once.
    static let inMemoryMax: Int64 = 8 << 30
}
