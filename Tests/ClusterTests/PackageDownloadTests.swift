import Foundation
import HTTPClient
import Jobs
import TestSupport
import Testing

@testable import Cluster

/// Working directories by URL, on a real worker and a real server.
@Suite struct PackageDownloadTests {
    /// A server of one zip file under `/x.zip`, and of the ways in which it may not be had.
    private struct Site {
        let server: TestHTTPServer
        let digest: String

        init(_ zip: [UInt8]) throws {
            digest = Data(zip).sha256
            server = try TestHTTPServer { request in
                switch request.path {
                case "/x.zip": .answer(200, bytes: zip)
                case "/moved": .answer(302, headers: ["Location": "x.zip"])
                case "/around": .answer(302, headers: ["Location": "/around"])
                case "/inside": .answer(307, headers: ["Location": "https://127.0.0.1:1/x.zip"])
                case "/flaky": request.connection < 3 ? .init([.close]) : .answer(200, bytes: zip)
                default: .answer(404, "not here")
                }
            }
        }

        func url(_ path: String) -> String { server.url + path }
    }

    private func zip(_ folder: TemporaryFolder) throws -> [UInt8] {
        try folder.write("#!/bin/sh\necho from the web\n", to: "wd/run", mode: 0o755)
        return try ZipArchive.pack(folder.path + "/wd")
    }

    private func submit(
        _ rig: WorkerRig, _ url: String, _ digest: String, _ command: String = "./run"
    ) async throws -> JobID {
        try await rig.submit(.command(command)) {
            $0.workingDirectory = digest
            $0.workingDirectoryURL = url
        }
    }

    private func worker(trusting site: Site) throws -> WorkerRig {
        let rules = try DownloadRules(trusting: [site.server.url])
        return try WorkerRig { $0.downloads = rules }
    }

    private func failure(_ rig: WorkerRig, _ job: JobID) async throws -> TaskFailure {
        let record = try await rig.end(of: job)
        #expect(record.driverAttempts == 1, "it is not tried again for nothing")
        guard case .failed(let failure) = record.state else {
            throw NeverHappened(what: "failure, but \(record.state)")
        }
        return failure
    }

    @Test("What a URL names is fetched once, verified and unpacked, also after a redirect")
    func works() async throws {
        let folder = try TemporaryFolder()
        let site = try Site(try zip(folder))
        let rig = try worker(trusting: site)
        for path in ["/x.zip", "/moved", "/x.zip"] {
            let job = try await submit(rig, site.url(path), site.digest)
            #expect(try await rig.end(of: job).state == .succeeded(result: nil))
            #expect(try await rig.log(of: job) == ["from the web\n"])
        }
        // By its digest the second and third job find what the first one fetched.
        #expect(site.server.requests.count == 1)
        await rig.stop()
        let other = try worker(trusting: site)
        _ = try await other.end(of: try await submit(other, site.url("/moved"), site.digest))
        #expect(site.server.requests.map(\.path) == ["/x.zip", "/moved", "/x.zip"])
        await other.stop()
    }

    @Test("The one folder of an archive is the working directory; several files stay as they are")
    func topFolder() async throws {
        let folder = try TemporaryFolder()
        try folder.write("one\n", to: "archive/repository-main/data.txt")
        let site = try Site(try ZipArchive.pack(folder.path + "/archive"))
        let rig = try worker(trusting: site)
        let job = try await submit(rig, site.url("/x.zip"), site.digest, "cat data.txt; ls ..")
        #expect(try await rig.end(of: job).state == .succeeded(result: nil))
        #expect(try await rig.log(of: job) == ["one\n", "tmp\n", "work\n"])
        await rig.stop()
    }

    @Test("A wrong digest, a missing file and a redirect in circles fail with URL and reason")
    func fails() async throws {
        let folder = try TemporaryFolder()
        let site = try Site(try zip(folder))
        let rig = try worker(trusting: site)
        let wrong = String(repeating: "0", count: 64)
        let cases = [
            ("/x.zip", wrong, "its SHA-256 is \(site.digest)"),
            ("/gone?token=secret", site.digest, "status 404"),
            ("/around", site.digest, "redirects more than 5 times"),
            ("/inside", site.digest, "no address of the public internet"),
        ]
        for (path, digest, reason) in cases {
            let cause = try await failure(rig, try await submit(rig, site.url(path), digest))
                .message
            #expect(cause.contains(reason), "\(cause)")
            #expect(cause.contains(site.url(String(path.prefix { $0 != "?" }))), "\(cause)")
            #expect(!cause.contains("secret"))
        }
        let left = try FileManager.default.contentsOfDirectory(
            atPath: rig.folder.path + "/cache-worker-1/blobs")
        #expect(left.isEmpty, "nothing unverified is kept")
        await rig.stop()
    }

    @Test("A worker that trusts no server reaches neither plain http nor its own machine")
    func guarded() async throws {
        let folder = try TemporaryFolder()
        let site = try Site(try zip(folder))
        let rig = try WorkerRig()
        let plain = try await failure(
            rig, try await submit(rig, site.url("/x.zip"), site.digest))
        #expect(plain.message.contains("is not https"))
        #expect(plain.message.contains("--download-from \(site.server.url)"))
        for host in ["127.0.0.1", "localhost", "169.254.169.254", "[::1]"] {
            let job = try await submit(
                rig, "https://\(host):\(site.server.port)/x.zip", site.digest)
            let message = try await failure(rig, job).message
            #expect(message.contains("no address of the public internet"), "\(message)")
        }
        #expect(site.server.connectionCount == 0)
        await rig.stop()
    }

    @Test("A file over the bound is not taken; a server that comes back is asked again")
    func bounds() async throws {
        let folder = try TemporaryFolder()
        let site = try Site(try zip(folder))
        let rules = try DownloadRules(trusting: [site.server.url])
        var retry = HTTPRetryPolicy.repeatable
        retry.delayFirst = .milliseconds(1)
        let small = PackageDownload(rules, retry: retry, sizeMax: 10)
        let source = try PinnedURL(url: site.url("/x.zip"), digest: site.digest)
        let path = folder.path + "/got"
        let error = await #expect(throws: DownloadError.self) {
            try await small.fetch(source, to: path)
        }
        #expect(error?.reason.contains("larger than 10 bytes") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
        let flaky = try PinnedURL(url: site.url("/flaky"), digest: site.digest)
        try await PackageDownload(rules, retry: retry).fetch(flaky, to: path)
        #expect(FileManager.default.contents(atPath: path).map(\.sha256) == site.digest)
    }
}

extension Data {
    fileprivate var sha256: String { JobDigest.of([UInt8](self)) }
}
