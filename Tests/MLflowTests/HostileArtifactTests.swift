import Foundation
import TestSupport
import Testing

@testable import MLflow

/// Listings and files that try to leave their folder, or never end.
@Suite struct HostileArtifactTests {
    typealias Reply = TestHTTPServer.Reply

    /// Downloads from a server with these listings (by folder path) and file contents.
    private func download(
        _ limits: DownloadLimits = DownloadLimits(),
        _ handler: @escaping @Sendable (TestHTTPServer.Request) -> Reply
    ) async throws -> (kind: MLflowError.Kind?, leftovers: [String]) {
        let server = try TestHTTPServer(handler)
        var configuration = try quickConfiguration(server.url)
        configuration.downloadLimits = limits
        let client = MLflowClient(configuration)
        return try await withFolder { folder in
            do {
                try await client.downloadDirectory(
                    of: "mlflow-artifacts:/1/r/artifacts", to: folder + "/target")
                return (nil, try FileManager.default.contentsOfDirectory(atPath: folder))
            } catch let error as MLflowError {
                return (error.kind, try FileManager.default.contentsOfDirectory(atPath: folder))
            }
        }
    }

    private static func listing(_ files: [(String, Int)]) -> Reply {
        let entries = files.map { #"{"path":"\#($0.0)","is_dir":false,"file_size":\#($0.1)}"# }
        return .json(#"{"files":[\#(entries.joined(separator: ","))]}"#)
    }

    private static func isListing(_ request: TestHTTPServer.Request) -> Bool {
        request.path == "/api/2.0/mlflow-artifacts/artifacts"
    }

    @Test(
        "A name that leads out of the folder is refused, and nothing is left",
        arguments: [
            "..", ".", "", "/etc/passwd", "../x", "a/../../x", "a/b", "a\\\\b", "..\\\\x",
            "a\\u0000b",
            "%2e%2e", "%252e%252e", "a%2fb", "%5cx", "x\\n", "%00",
        ])
    func escapes(_ name: String) async throws {
        let result = try await download { request in
            Self.isListing(request) ? Self.listing([("ok", 1), (name, 1)]) : .answer(200, "x")
        }
        #expect(result.kind == .invalidAnswer && result.leftovers.isEmpty)
    }

    @Test("A name longer than any real one is refused")
    func longName() async throws {
        let name = String(repeating: "x", count: 5000)
        let result = try await download { _ in Self.listing([(name, 1)]) }
        #expect(result.kind == .invalidAnswer && result.leftovers.isEmpty)
    }

    @Test("Folders without end are refused")
    func depth() async throws {
        let result = try await download { _ in .json(#"{"files":[{"path":"d","is_dir":true}]}"#) }
        #expect(result.kind == .invalidAnswer && result.leftovers.isEmpty)
    }

    @Test("More files or bytes than the limits allow are refused before any is fetched")
    func tooMany() async throws {
        var limits = DownloadLimits()
        limits.fileCountMax = 10
        limits.bytesMax = 100
        let many = try await download(limits) { _ in
            Self.listing((0..<20).map { ("f\($0)", 1) })
        }
        #expect(many.kind == .invalidAnswer && many.leftovers.isEmpty)
        let large = try await download(limits) { _ in Self.listing([("a", 60), ("b", 60)]) }
        #expect(large.kind == .invalidAnswer && large.leftovers.isEmpty)
        let overflow = try await download(limits) { _ in
            Self.listing([("a", Int.max), ("b", Int.max)])
        }
        #expect(overflow.kind == .invalidAnswer && overflow.leftovers.isEmpty)
        let negative = try await download(limits) { request in
            Self.isListing(request) ? Self.listing([("a", -5)]) : .answer(200, "content")
        }
        #expect(negative.kind == .invalidAnswer && negative.leftovers.isEmpty)
    }

    @Test("A file larger than announced, or than what is left, is cut off")
    func liar() async throws {
        let result = try await download { request in
            Self.isListing(request) ? Self.listing([("a", 3)]) : .answer(200, "four")
        }
        #expect(result.kind == .invalidAnswer && result.leftovers.isEmpty)
        var limits = DownloadLimits()
        limits.bytesMax = 10
        let unknown = try await download(limits) { request in
            Self.isListing(request)
                ? .json(#"{"files":[{"path":"a"},{"path":"b"}]}"#) : .answer(200, "1234567")
        }
        #expect(unknown.kind == .invalidAnswer && unknown.leftovers.isEmpty)
    }

    @Test("A file listed twice, one that vanished and an empty listing are errors")
    func inconsistent() async throws {
        let twice = try await download { _ in Self.listing([("a", 1), ("a", 1)]) }
        #expect(twice.kind == .invalidAnswer && twice.leftovers.isEmpty)
        let gone = try await download { request in
            Self.isListing(request) ? Self.listing([("a", 1), ("b", 1)]) : .answer(404, "gone")
        }
        #expect(gone.kind == .routeMissing && gone.leftovers.isEmpty)
        let empty = try await download { _ in .json("{}") }
        #expect(empty.kind == .notFound && empty.leftovers.isEmpty)
    }

    @Test("Files of unknown size arrive, and a download that works has its files in place")
    func fine() async throws {
        let result = try await download { request in
            Self.isListing(request)
                ? .json(#"{"files":[{"path":"a"},{"path":"b b","file_size":"2"}]}"#)
                : .answer(200, request.path.hasSuffix("/b%20b") ? "bb" : "a")
        }
        #expect(result.kind == nil && result.leftovers == ["target"])
    }

    @Test(
        "Stores that are not for us are refused with a hint",
        arguments: [
            "s3://bucket/x", "http://evil/x", "mlflow-artifacts://evil:80/x", "relative/x",
            "file:relative", "",
        ])
    func stores(_ uri: String) throws {
        let client = MLflowClient(try MLflowConfiguration(trackingURI: "http://127.0.0.1:1"))
        #expect {
            try client.artifactStore(uri)
        } throws: { ($0 as? MLflowError)?.kind == .unsupportedStore }
    }

    @Test("Only a server on this machine may name local folders")
    func remoteFileStore() throws {
        let near = MLflowClient(try MLflowConfiguration(trackingURI: "http://localhost:5000"))
        let far = MLflowClient(try MLflowConfiguration(trackingURI: "http://10.0.0.7:5000"))
        for uri in ["file:///tmp/x%20y", "/tmp/x y", "file:/tmp/x%20y"] {
            #expect((try near.artifactStore(uri) as? FileArtifactStore)?.root == "/tmp/x y")
            #expect(throws: MLflowError.self) { try far.artifactStore(uri) }
        }
        #expect(throws: MLflowError.self) { try near.artifactStore("file:///tmp/../etc") }
    }

    @Test("Files go into a local store and come back; a symbolic link does not")
    func fileStore() async throws {
        let client = MLflowClient(try MLflowConfiguration(trackingURI: "http://127.0.0.1:1"))
        try await withFolder { folder in
            try write("one", to: folder + "/in/a.txt")
            try write("two", to: folder + "/in/sub/b.txt")
            let uri = "file://" + folder + "/store"
            for _ in 0..<2 { try await client.uploadDirectory(folder + "/in", to: uri) }
            try await client.uploadArtifact(bytes: Array("three".utf8), to: uri, as: "x/c.txt")
            #expect(
                try await client.listArtifacts(of: uri).map(\.path.text) == ["a.txt", "sub", "x"])
            try await client.downloadDirectory(of: uri, to: folder + "/out")
            for (name, text) in [("a.txt", "one"), ("sub/b.txt", "two"), ("x/c.txt", "three")] {
                #expect(
                    try String(contentsOfFile: folder + "/out/" + name, encoding: .utf8) == text)
            }
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/store/link", withDestinationPath: "/etc/passwd")
            #expect(
                await kind { try await client.downloadDirectory(of: uri, to: folder + "/out2") }
                    == .fileFailed)
            #expect(
                await kind {
                    try await client.downloadArtifact("link", of: uri, to: folder + "/stolen")
                } == .fileFailed)
            #expect(
                await kind { try await client.uploadDirectory(folder + "/store", to: uri) }
                    == .fileFailed)
            #expect(!FileManager.default.fileExists(atPath: folder + "/stolen"))
        }
    }
}
