import Crypto
import Dispatch
import Foundation

/// File work of the blob stores, done off Swift's cooperative threads.
enum BlobFiles {
    private static let chunkInBytes = 1 << 20
    private static let queue = DispatchQueue(label: "manta.blob-files", attributes: .concurrent)

    /// Runs blocking work where it may block.
    static func blocking<Value: Sendable>(
        _ work: @escaping @Sendable () throws(BlobStoreError) -> Value
    ) async throws(BlobStoreError) -> Value {
        let result: Result<Value, BlobStoreError> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(BlobStoreError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    static func digest(of bytes: [UInt8]) -> String {
        hex(SHA256.hash(data: bytes))
    }

    static func hex(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether `text` is 64 lower-case hex digits, so that it can stand in a path or a key.
    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    static func size(ofFileAt path: String) throws(BlobStoreError) -> Int64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("stat", path) }
        return Int64(status.st_size)
    }

    /// Reads a whole file, at most `maximum` bytes.
    static func read(_ path: String, maximum: Int64) throws(BlobStoreError) -> [UInt8] {
        var bytes: [UInt8] = []
        try forEachChunk(of: path) { (chunk) throws(BlobStoreError) in
            bytes.append(contentsOf: chunk)
            guard bytes.count <= maximum else {
                throw .tooLarge(sizeInBytes: Int64(bytes.count), maximum: maximum)
            }
        }
        return bytes
    }

    static func digest(ofFileAt path: String) throws(BlobStoreError) -> String {
        var hasher = SHA256()
        try forEachChunk(of: path) { hasher.update(bufferPointer: $0) }
        return hex(hasher.finalize())
    }

    /// Copies a file while hashing it; the target appears whole, with this digest, or not at all.
    static func copy(
        _ source: String, to target: String, expecting digest: String
    ) throws(BlobStoreError) {
        try replace(target) { (file) throws(BlobStoreError) in
            var hasher = SHA256()
            try forEachChunk(of: source) { (chunk) throws(BlobStoreError) in
                hasher.update(bufferPointer: chunk)
                try write(chunk, to: file, path: target)
            }
            guard hex(hasher.finalize()) == digest else { throw .damaged(digest) }
        }
    }

    static func write(_ bytes: [UInt8], to target: String) throws(BlobStoreError) {
        try replace(target) { (file) throws(BlobStoreError) in
            let result = bytes.withUnsafeBytes { buffer in
                Result { () throws(BlobStoreError) in try write(buffer, to: file, path: target) }
            }
            try result.get()
        }
    }

    /// A name beside `target` that nobody else uses, for what is not complete yet.
    static func draft(of target: String) -> String {
        "\(target).\(getpid())-\(UInt64.random(in: 0 ... .max)).part"
    }

    /// Puts a complete draft in its place when it has this digest; else the draft goes.
    static func settle(
        _ draft: String, as target: String, expecting digest: String
    ) throws(BlobStoreError) {
        do throws(BlobStoreError) {
            guard try self.digest(ofFileAt: draft) == digest else { throw .damaged(digest) }
            let file = open(draft, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw failure("open", draft) }
            defer { close(file) }
            guard fsync(file) == 0 else { throw failure("fsync", draft) }
            guard rename(draft, target) == 0 else { throw failure("rename", target) }
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Write beside the target, fsync, rename: a reader sees the old file or the new one.
    private static func replace(
        _ target: String, _ fill: (Int32) throws(BlobStoreError) -> Void
    ) throws(BlobStoreError) {
        let scratch = draft(of: target)
        let file = open(scratch, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("create", scratch) }
        var isOpen = true
        do throws(BlobStoreError) {
            try fill(file)
            guard fsync(file) == 0 else { throw failure("fsync", scratch) }
            isOpen = false
            guard close(file) == 0 else { throw failure("close", scratch) }
            guard rename(scratch, target) == 0 else { throw failure("rename", target) }
        } catch {
            if isOpen { close(file) }
            unlink(scratch)
            throw error
        }
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, to file: Int32, path: String
    ) throws(BlobStoreError) {
        var done = 0
        while done < bytes.count {
            let count = Foundation.write(
                file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw failure("write \(bytes.count - done) bytes to", path)
            }
            done += count
        }
    }

    private static func forEachChunk(
        of path: String, _ body: (UnsafeRawBufferPointer) throws(BlobStoreError) -> Void
    ) throws(BlobStoreError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("open", path) }
        defer { close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkInBytes, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = Foundation.read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    private static func failure(_ operation: String, _ path: String) -> BlobStoreError {
        let cause = String(cString: strerror(errno))
        return errno == ENOSPC || errno == EDQUOT
            ? .full("\(operation) \(path): \(cause)")
            : .unavailable("\(operation) \(path): \(cause)")
    }
}
