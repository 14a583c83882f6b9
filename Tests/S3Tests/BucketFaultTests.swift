import Foundation
import Synchronization
import TestSupport
import Testing

@testable import HTTPClient
@testable import S3

/// Servers that are elsewhere, busy, away, or break in the middle.
@Suite struct BucketFaultTests {
    typealias Reply = TestHTTPServer.Reply

    private func bucket(_ url: String, token: String? = nil) throws -> Bucket {
        var configuration = try BucketConfiguration(
            location: "s3://data/p", region: "eu-west-3", endpoint: url,
            credentials: Credentials(accessKey: "AK", secretKey: "SK", sessionToken: token))
        configuration.attemptsMax = 2
        configuration.idleTimeout = .seconds(2)
        return Bucket(configuration)
    }

    @Test("A request is signed for region, service and token, and names its body's hash")
    func signature() async throws {
        let server = try TestHTTPServer { _ in .answer() }
        defer { server.stop() }
        _ = try await bucket(server.url, token: "temporary").put(
            [1, 2], at: "k", sha256: digest([1, 2]))
        let headers = try #require(server.requests.first).headers
        let authorization = headers["authorization"] ?? ""
        #expect(authorization.hasPrefix("AWS4-HMAC-SHA256 Credential=AK/"))
        #expect(authorization.contains("/eu-west-3/s3/aws4_request"))
        #expect(authorization.contains("x-amz-security-token"))
        #expect(authorization.contains("if-none-match"))
        #expect(headers["x-amz-security-token"] == "temporary")
        #expect(headers["x-amz-content-sha256"] == digest([1, 2]))
        #expect(headers["if-none-match"] == "*")
        #expect(server.requests.first?.body == [1, 2])
        #expect(server.requests.first?.target == "/data/p/k")
        #expect(!"\(server.requests)".contains("\"SK\""))
    }

    @Test(
        "A bucket in another region is named with its region",
        arguments: [
            Reply.answer(301, headers: ["x-amz-bucket-region": "eu-west-1"]),
            .answer(400, headers: ["x-amz-bucket-region": "eu-west-1"]),
            .answer(
                400,
                "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
            ),
        ])
    func region(_ reply: Reply) async throws {
        let server = try TestHTTPServer { _ in reply }
        defer { server.stop() }
        await expect(.wrongRegion("eu-west-1")) {
            _ = try await bucket(server.url).get("k", sizeMax: 9)
        }
        #expect(server.requests.count == 1)
    }

    @Test("Bytes that the server did not get as they were said are refused")
    func mismatch() async throws {
        let server = try TestHTTPServer { _ in
            .answer(400, "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>")
        }
        defer { server.stop() }
        await expect(.otherBytes) {
            _ = try await bucket(server.url).put([1], at: "k", sha256: digest([2]))
        }
    }

    @Test("A server that is busy is asked again; one that stays so is told with its words")
    func busy() async throws {
        let count = Mutex(0)
        let server = try TestHTTPServer { _ in
            let turn = count.withLock { count in
                count += 1
                return count
            }
            return turn == 2
                ? .answer(200, "x")
                : .answer(503, "<Error><Code>SlowDown</Code><Message>later</Message></Error>")
        }
        defer { server.stop() }
        let bucket = try bucket(server.url)
        #expect(try await bucket.get("k", sizeMax: 9) == [UInt8(ascii: "x")])
        await expect(.answered(status: 503, code: "SlowDown", message: "later")) {
            _ = try await bucket.get("k", sizeMax: 9)
        }
    }

    @Test("A download that breaks in the middle leaves no file, and the next try is whole")
    func truncated() async throws {
        let count = Mutex(0)
        let half = Reply.raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", then: .close)
        let server = try TestHTTPServer { _ in
            let turn = count.withLock { count in
                count += 1
                return count
            }
            return turn < 4 ? half : .answer(200, "0123456789")
        }
        defer { server.stop() }
        try await withFolder { folder in
            let bucket = try bucket(server.url)
            do throws(BucketError) {
                try await bucket.get("k", toFileAt: "\(folder)/a", sizeMax: 99)
                Issue.record("half a body was taken")
            } catch {
                #expect(error.isTransient)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            try await bucket.get("k", toFileAt: "\(folder)/a", sizeMax: 99)
            #expect(FileManager.default.contents(atPath: "\(folder)/a")?.count == 10)
        }
    }

    @Test("A server that goes away in the middle of the parts leaves no object")
    func gone() async throws {
        let aborted = Mutex(false)
        let server = try TestHTTPServer { request in
            switch request.method {
            case "POST" where request.target.contains("uploads="):
                return .answer(200, "<R><UploadId>u1</UploadId></R>")
            case "PUT" where request.target.contains("partNumber=1"):
                return .answer(200, headers: ["ETag": "\"1\""])
            case "DELETE":
                aborted.withLock { $0 = true }
                return .answer(204)
            default: return Reply([.reset])
            }
        }
        defer { server.stop() }
        try await withFolder { folder in
            var configuration = try BucketConfiguration(
                location: "s3://data", endpoint: server.url,
                credentials: Credentials(accessKey: "AK", secretKey: "SK"))
            configuration.partInBytes = 1 << 20
            configuration.attemptsMax = 2
            let bytes = [UInt8](repeating: 7, count: 3 << 20)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/in"))
            do throws(BucketError) {
                _ = try await Bucket(configuration).put(
                    fileAt: "\(folder)/in", sizeInBytes: 3 << 20, at: "k", sha256: digest(bytes))
                Issue.record("the upload ended")
            } catch {
                #expect(error.operation == "put part" && error.isTransient)
            }
            #expect(aborted.withLock { $0 })
            #expect(
                !server.requests.contains {
                    $0.target == "/data/k?uploadId=u1" && $0.method == "POST"
                })
        }
    }

    @Test("An upload whose end fails inside a good answer has failed")
    func endInBody() async throws {
        let server = try TestHTTPServer { request in
            if request.target.contains("uploads=") {
                return .answer(200, "<R><UploadId>u1</UploadId></R>")
            }
            if request.method == "PUT" { return .answer(200, headers: ["ETag": "\"1\""]) }
            return .answer(200, "<Error><Code>InternalError</Code><Message>no</Message></Error>")
        }
        defer { server.stop() }
        try await withFolder { folder in
            var configuration = try BucketConfiguration(
                location: "s3://data", endpoint: server.url,
                credentials: Credentials(accessKey: "AK", secretKey: "SK"))
            configuration.partInBytes = 1 << 20
            let bytes = [UInt8](repeating: 7, count: 2 << 20)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/in"))
            await expect(.answered(status: 500, code: "InternalError", message: "no")) {
                _ = try await Bucket(configuration).put(
                    fileAt: "\(folder)/in", sizeInBytes: 2 << 20, at: "k", sha256: digest(bytes))
            }
        }
    }

    @Test("A server that does not know conditional puts gets a plain one")
    func unconditional() async throws {
        let server = try TestHTTPServer { request in
            request.headers["if-none-match"] == nil ? .answer() : .answer(501)
        }
        defer { server.stop() }
        #expect(try await bucket(server.url).put([1], at: "k", sha256: digest([1])))
    }
}
