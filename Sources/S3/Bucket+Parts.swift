internal import Crypto
internal import Foundation
internal import HTTPClient

extension Bucket {
    /// S3's bound on the parts of one object.
    static let partsMax: Int64 = 10_000

    /// Sends a file in parts. Each part is hashed before it is sent, and the server compares; the
    /// hashes together must be the file's before the object appears.
    ///
    /// - Returns: whether the object is new.
    func putParts(
        ofFileAt path: String, sizeInBytes: Int64, at key: String, sha256: String
    ) async throws(BucketError) -> Bool {
        let upload = try await beginUpload(key)
        do throws(BucketError) {
            let tags = try await sendParts(ofFileAt: path, sizeInBytes, key, upload, sha256)
            return try await endUpload(key, upload, tags)
        } catch {
            // What was sent costs money until somebody says that it is not wanted. A server that
            // is away cannot be told; a lifecycle rule for unfinished uploads is for that.
            _ = try? await send(
                "abort", request(.delete, key, [(name: "uploadId", value: upload)]), key,
                allowing: [404])
            // Somebody else's object stands.
            if error.cause == .conflict { return false }
            throw error
        }
    }

    private func beginUpload(_ key: String) async throws(BucketError) -> String {
        var request = request(.post, key, [(name: "uploads", value: "")])
        request.headers["Content-Type"] = "application/octet-stream"
        let response = try await send("begin upload", request, key)
        guard let upload = BucketAnswer(response.bodyText).first("UploadId"), !upload.isEmpty,
            upload.utf8.count <= 2_048
        else { throw failure("begin upload", key, .malformed("no UploadId")) }
        return upload
    }

    /// Answers the ETags of the parts, in order.
    private func sendParts(
        ofFileAt path: String, _ sizeInBytes: Int64, _ key: String, _ upload: String,
        _ sha256: String
    ) async throws(BucketError) -> [String] {
        // Whole MiB, so that no file needs more than `partsMax`.
        let least = (sizeInBytes / Bucket.partsMax / (1 << 20) + 1) * (1 << 20)
        let size = max(configuration.partInBytes, least)
        var whole = SHA256()
        var tags: [String] = []
        var offset: Int64 = 0
        while offset < sizeInBytes {
            let count = min(size, sizeInBytes - offset)
            let digest = try hash(ofFileAt: path, offset, count, into: &whole, key)
            var request = request(
                .put, key,
                [
                    (name: "partNumber", value: "\(tags.count + 1)"),
                    (name: "uploadId", value: upload),
                ])
            request.body = .part(path: path, offset: offset, count: count)
            request.headers["x-amz-content-sha256"] = digest
            request.headers["Content-Type"] = "application/octet-stream"
            let response = try await send("put part", request, key)
            guard let tag = response.headers["ETag"], tag.utf8.count <= 1_024 else {
                throw failure("put part", key, .malformed("no ETag"))
            }
            tags.append(tag)
            offset += count
        }
        guard Bucket.hex(whole.finalize()) == sha256 else {
            throw failure("put part", key, .otherBytes)
        }
        return tags
    }

    private func endUpload(
        _ key: String, _ upload: String, _ tags: [String]
    ) async throws(BucketError) -> Bool {
        let parts = tags.enumerated().map { index, tag in
            let text = tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            return "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(text)</ETag></Part>"
        }
        let body = Array(
            "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>".utf8)
        var request = request(.post, key, [(name: "uploadId", value: upload)])
        request.body = .bytes(body)
        request.headers["x-amz-content-sha256"] = Bucket.hex(SHA256.hash(data: body))
        request.headers["Content-Type"] = "application/xml"
        do throws(BucketError) {
            let response = try await conditionally("end upload", request, key)
            guard response.status < 300 else { throw failure("end upload", key, .conflict) }
            try checkBody(response, "end upload", key)
        } catch {
            // An answer that was lost on the way: the upload is over, and the object is there.
            guard error.cause == .missing, try await object(key) != nil else { throw error }
        }
        return true
    }

    private func hash(
        ofFileAt path: String, _ offset: Int64, _ count: Int64, into whole: inout SHA256,
        _ key: String
    ) throws(BucketError) -> String {
        func refuse(_ cause: String) -> BucketError {
            failure("put part", key, .notSent(.fileFailed(path: path, cause: cause)))
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw refuse("it cannot be opened")
        }
        var part = SHA256()
        do {
            try file.seek(toOffset: UInt64(offset))
            var left = count
            while left > 0 {
                let bytes = try file.read(upToCount: Int(min(left, 1 << 20))) ?? Data()
                guard !bytes.isEmpty else { throw refuse("it became shorter") }
                part.update(data: bytes)
                whole.update(data: bytes)
                left -= Int64(bytes.count)
            }
            try file.close()
        } catch let error as BucketError {
            throw error
        } catch {
            throw refuse("\(error)")
        }
        return Bucket.hex(part.finalize())
    }

    static func hex(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
