import Crypto
import Foundation
import HTTPClient
import TestSupport
import Testing

@testable import S3

/// A bucket at moto's server, which checks every signature and right.
@Suite struct BucketTests {
    @Test("Objects are put once, read, listed, copied and removed")
    func life() async throws {
        let bucket = try await makeBucket()
        let bytes = Array("hello".utf8)
        for key in ["ab/plain", "odd key+&=.x"] {
            #expect(try await bucket.object(key) == nil)
            #expect(try await bucket.put(bytes, at: key, sha256: digest(bytes)))
            #expect(try await !bucket.put([1], at: key, sha256: digest([1])))
            #expect(try await bucket.object(key)?.sizeInBytes == 5)
            #expect(try await bucket.get(key, sizeMax: 5) == bytes)
        }
        #expect(try await bucket.put([], at: "empty", sha256: Bucket.digestOfNothing))
        #expect(try await bucket.get("empty", sizeMax: 0) == [])
        #expect(try await bucket.list().map(\.key) == ["ab/plain", "empty", "odd key+&=.x"])
        #expect(try await bucket.list("ab/").map(\.sizeInBytes) == [5])
        #expect(try await bucket.list(after: "ab/plain", limit: 1).map(\.key) == ["empty"])
        try await bucket.copy("ab/plain", to: "copy")
        #expect(try await bucket.get("copy", sizeMax: 5) == bytes)
        await expect(.conflict) { try await bucket.remove("copy", version: "\"other\"") }
        try await bucket.remove("copy", version: try await bucket.object("copy")?.version)
        try await bucket.remove("copy")
        #expect(try await bucket.object("copy") == nil)
        await expect(.missing) { _ = try await bucket.get("copy", sizeMax: 5) }
        await expect(.missing) { try await bucket.copy("copy", to: "x") }
        await expect(.notSent(.tooLarge(limit: 4))) {
            _ = try await bucket.get("ab/plain", sizeMax: 4)
        }
    }

    @Test("A file goes up in parts and comes back as it was; a second one changes nothing")
    func parts() async throws {
        try await withFolder { folder in
            var configuration = try await configuration()
            configuration.partInBytes = 5 << 20
            let bucket = Bucket(configuration)
            let bytes = (0..<(12 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
            let (file, key) = ("\(folder)/in", "ab/large")
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let size = Int64(bytes.count)
            #expect(
                try await bucket.put(
                    fileAt: file, sizeInBytes: size, at: key, sha256: digest(bytes)))
            #expect(
                try await !bucket.put(
                    fileAt: file, sizeInBytes: size, at: key, sha256: digest(bytes)))
            try await bucket.get(key, toFileAt: "\(folder)/out", sizeMax: size)
            #expect(FileManager.default.contents(atPath: "\(folder)/out") == Data(bytes))
            await expect(.notSent(.tooLarge(limit: Int(size) - 1))) {
                try await bucket.get(key, toFileAt: "\(folder)/less", sizeMax: size - 1)
            }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/less"))
            // A file that is not what was said never becomes an object.
            await expect(.otherBytes) {
                _ = try await bucket.put(
                    fileAt: file, sizeInBytes: size, at: "ab/wrong", sha256: digest([1]))
            }
            #expect(try await bucket.object("ab/wrong") == nil)
            await expect(.notSent(.fileFailed(path: file, cause: "it became shorter"))) {
                _ = try await bucket.put(
                    fileAt: file, sizeInBytes: size + 1, at: "ab/short", sha256: digest(bytes))
            }
            #expect(try await bucket.object("ab/short") == nil)
        }
    }

    @Test("Who may not, or is not known, is told so")
    func rights() async throws {
        let server = try await S3Server.shared()
        let prefix = "s3://\(S3Server.bucket)/\(MLflowServer.unique("rights"))"
        func bucket(_ environment: [String: String]) throws -> Bucket {
            Bucket(try BucketConfiguration(location: prefix, environment: environment))
        }
        let reader = try bucket(server.environment(of: server.reader))
        #expect(try await reader.object("a") == nil)
        await expect(.denied(code: "AccessDenied")) {
            _ = try await reader.put([1], at: "a", sha256: digest([1]))
        }
        var wrong = server.environment
        wrong["AWS_SECRET_ACCESS_KEY"] = "wrong"
        await expect(.denied(code: "SignatureDoesNotMatch")) { [wrong] in
            _ = try await bucket(wrong).get("a", sizeMax: 1)
        }
        wrong["AWS_ACCESS_KEY_ID"] = "nobody"
        await expect(.denied(code: "InvalidAccessKeyId")) { [wrong] in
            _ = try await bucket(wrong).get("a", sizeMax: 1)
        }
        await expect(.denied(code: "403")) { [wrong] in _ = try await bucket(wrong).object("a") }
        let none = Bucket(
            try BucketConfiguration(
                location: "s3://no-such-bucket", environment: server.environment))
        await expect(.noBucket) { _ = try await none.get("a", sizeMax: 1) }
        await expect(.noBucket) { _ = try await none.list() }
    }

    // MARK: Helpers

    private func configuration() async throws -> BucketConfiguration {
        let server = try await S3Server.shared()
        return try BucketConfiguration(
            location: "s3://\(S3Server.bucket)/\(MLflowServer.unique("bucket"))",
            environment: server.environment)
    }

    private func makeBucket() async throws -> Bucket { Bucket(try await configuration()) }
}

func digest(_ bytes: [UInt8]) -> String { Bucket.hex(SHA256.hash(data: bytes)) }

/// Expects a bucket's error of this cause, whose words name the bucket.
func expect(_ cause: BucketError.Cause, _ work: () async throws -> Void) async {
    do {
        try await work()
        Issue.record("nothing was thrown; expected \(cause)")
    } catch let error as BucketError {
        #expect(error.cause == cause)
        #expect("\(error)".contains("s3://\(error.bucket)/"))
    } catch {
        Issue.record("\(error)")
    }
}

func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "manta-s3-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
}
