import Foundation
import S3

/// A bucket below a prefix, where larger blobs live: `<two digits>/<digest>`.
///
/// S3 itself makes an object appear whole or not at all. The digest goes with every put, so that a
/// server compares it; whatever comes back is hashed here, whoever wrote it.
struct OriginBucket: BlobOrigin {
    private let bucket: Bucket

    init(_ configuration: BucketConfiguration) { bucket = Bucket(configuration) }

    /// The key below the bucket's prefix.
    static func key(of digest: String) -> String { "\(digest.prefix(2))/\(digest)" }

    /// Asks for an object that is not there, which shows whether the settings are right.
    ///
    /// - Throws: `.refused` with what to change; `.unavailable` when the server is away.
    func check() async throws(BlobStoreError) {
        _ = try await holds(String(repeating: "0", count: 64))
    }

    func holds(_ digest: String) async throws(BlobStoreError) -> Bool {
        try await asking(digest) { () async throws(BucketError) in
            try await bucket.object(OriginBucket.key(of: digest)) != nil
        }
    }

    func keep(_ bytes: [UInt8], digest: String) async throws(BlobStoreError) {
        if try await holds(digest) { return }
        _ = try await asking(digest) { () async throws(BucketError) in
            try await bucket.put(bytes, at: OriginBucket.key(of: digest), sha256: digest)
        }
    }

    func keep(
        fileAt source: String, sizeInBytes: Int64, digest: String
    ) async throws(BlobStoreError) {
        if try await holds(digest) { return }
        _ = try await asking(digest) { () async throws(BucketError) in
            try await bucket.put(
                fileAt: source, sizeInBytes: sizeInBytes, at: OriginBucket.key(of: digest),
                sha256: digest)
        }
    }

    func read(_ digest: String) async throws(BlobStoreError) -> [UInt8] {
        try await again(digest) { () async throws(BlobStoreError) in
            let bytes = try await asking(digest) { () async throws(BucketError) in
                try await bucket.get(
                    OriginBucket.key(of: digest), sizeMax: Int(OriginLimits.inMemoryMax))
            }
            guard BlobFiles.digest(of: bytes) == digest else { throw .damaged(digest) }
            return bytes
        }
    }

    func read(_ digest: String, toFileAt target: String) async throws(BlobStoreError) {
        try await again(digest) { () async throws(BlobStoreError) in
            let draft = BlobFiles.draft(of: target)
            try await asking(digest) { () async throws(BucketError) in
                try await bucket.get(
                    OriginBucket.key(of: digest), toFileAt: draft, sizeMax: OriginLimits.blobMax)
            }
            try await BlobFiles.blocking { () throws(BlobStoreError) in
                try BlobFiles.settle(draft, as: target, expecting: digest)
            }
        }
    }

    func forget(_ digest: String) async throws(BlobStoreError) {
        try await asking(digest) { () async throws(BucketError) in
            try await bucket.remove(OriginBucket.key(of: digest))
        }
    }

    /// Reads twice before it believes that the object, rather than the way to here, is damaged;
    /// then takes that version out of the way, keeping it beside as `.damaged`.
    private func again<Value>(
        _ digest: String, _ read: () async throws(BlobStoreError) -> Value
    ) async throws(BlobStoreError) -> Value {
        do throws(BlobStoreError) {
            return try await read()
        } catch {
            guard case .damaged = error else { throw error }
        }
        let key = OriginBucket.key(of: digest)
        let before = try await asking(digest) { () async throws(BucketError) in
            try await bucket.object(key)
        }
        do throws(BlobStoreError) {
            return try await read()
        } catch {
            guard case .damaged = error, let before else { throw error }
            try await asking(digest) { () async throws(BucketError) in
                try await setAside(key, before)
            }
            throw error
        }
    }

    private func setAside(_ key: String, _ object: Bucket.Object) async throws(BucketError) {
        try await bucket.copy(key, to: key + ".damaged")
        do throws(BucketError) {
            try await bucket.remove(key, version: object.version)
        } catch {
            // Somebody healed it meanwhile.
            guard error.cause == .conflict else { throw error }
        }
    }

    /// What a bucket's failure means to the one who wants a blob.
    private func asking<Value>(
        _ digest: String, _ work: () async throws(BucketError) -> Value
    ) async throws(BlobStoreError) -> Value {
        do throws(BucketError) {
            return try await work()
        } catch {
            switch error.cause {
            case .missing: throw .missing(digest)
            case .otherBytes: throw .damaged(digest)
            case .denied, .wrongRegion, .noBucket, .malformed: throw .refused("\(error)")
            case .answered where !error.isTransient: throw .refused("\(error)")
            case .answered, .conflict, .notSent: throw .unavailable("\(error)")
            }
        }
    }
}
