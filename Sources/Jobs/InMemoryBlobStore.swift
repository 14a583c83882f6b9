import Synchronization

/// A blob store in this process, under a byte budget. For tests and for `memory:`.
package final class InMemoryBlobStore: BlobStore {
    private struct Shelf {
        var blobs: [String: [UInt8]] = [:]
        var sizeInBytes = 0
    }
    private let budgetInBytes: Int
    private let sizeMax: Int
    private let shelf = Mutex(Shelf())

    /// - Parameter sizeMax: bytes of one blob; larger ones would need an origin.
    package init(
        budgetInBytes: Int = StoreConfiguration.blobBudgetDefault, sizeMax: Int = .max
    ) {
        self.budgetInBytes = budgetInBytes
        self.sizeMax = sizeMax
    }

    package func put(_ bytes: [UInt8]) async throws -> String {
        guard bytes.count <= sizeMax else {
            throw BlobStoreError.noOrigin(sizeInBytes: Int64(bytes.count))
        }
        let digest = BlobFiles.digest(of: bytes)
        try shelf.withLock { shelf throws(BlobStoreError) in
            guard shelf.blobs[digest] == nil else { return }
            guard shelf.sizeInBytes + bytes.count <= budgetInBytes else {
                throw .full("blobs have at most \(budgetInBytes) bytes together")
            }
            shelf.blobs[digest] = bytes
            shelf.sizeInBytes += bytes.count
        }
        return digest
    }

    package func put(fileAt path: String) async throws -> String {
        let budget = Int64(budgetInBytes)
        return try await put(
            BlobFiles.blocking { () throws(BlobStoreError) in
                try BlobFiles.read(path, maximum: budget)
            })
    }

    package func contains(_ digest: String) async throws -> Bool {
        shelf.withLock { $0.blobs[digest] != nil }
    }

    package func get(_ digest: String) async throws -> [UInt8] {
        guard let bytes = shelf.withLock({ $0.blobs[digest] }) else {
            throw BlobStoreError.missing(digest)
        }
        return bytes
    }

    package func get(_ digest: String, toFileAt path: String) async throws {
        let bytes = try await get(digest)
        try await BlobFiles.blocking { () throws(BlobStoreError) in
            try BlobFiles.write(bytes, to: path)
        }
    }
}
