internal import Crypto
import Foundation
import HTTPClient
import Jobs

/// Fetches the zip files that jobs name by URL, and lets through only what has the digest they
/// name.
///
/// Done by the worker that needs the file, so that a slow server holds up one job and not the head;
/// the file then stands in the worker's cache under its digest.
struct PackageDownload: Sendable {
    private let client = HTTPClient()
    private let rules: DownloadRules
    private let retry: HTTPRetryPolicy
    /// Bytes of one zip file.
    private let sizeMax: Int

    static let redirectsMax = 5
    static let timeMax = Duration.seconds(900)
    static let idleMax = Duration.seconds(30)

    /// - Parameter sizeMax: a zip file's names and headers may come on top of what it unpacks to.
    init(
        _ rules: DownloadRules, retry: HTTPRetryPolicy = .repeatable,
        sizeMax: Int = ZipArchive.sizeMax + (64 << 20)
    ) {
        self.rules = rules
        self.retry = retry
        self.sizeMax = sizeMax
    }

    /// Writes what the URL leads to into a new file at `path`.
    ///
    /// What passes, such as a server that does not answer, is tried a few times; what does not is
    /// told at once. After a failure there is no file.
    /// - Throws: `DownloadError`, or `CancellationError`.
    func fetch(_ source: PinnedURL, to path: String) async throws {
        do {
            try await follow(source.url, to: path)
            let digest = try await BlockingWork.run { try PackageDownload.digest(ofFileAt: path) }
            guard digest == source.digest else {
                unlink(path)
                throw DownloadRefusal(
                    "its SHA-256 is \(digest), not the \(source.digest) that the job names; "
                        + "either the file was changed or the job names another one")
            }
        } catch HTTPClientError.cancelled {
            throw CancellationError()
        } catch {
            throw DownloadError(source, reason: "\(error)")
        }
    }

    private func follow(_ start: String, to path: String) async throws {
        var url = start
        for _ in 0...PackageDownload.redirectsMax {
            var request = try rules.request(for: url)
            request.timeout = PackageDownload.timeMax
            request.idleTimeout = PackageDownload.idleMax
            // Of an answer that is an error only the status is told.
            request.bodyMax = 1 << 20
            let response = try await client.download(
                request, to: path, sizeMax: sizeMax, retrying: retry)
            if response.isSuccess { return }
            guard [301, 302, 303, 307, 308].contains(response.status),
                let location = response.headers["Location"]
            else { throw DownloadRefusal("the server answered with status \(response.status)") }
            let next = try HTTPURL.following(location, from: url)
            guard try HTTPURL(url).scheme == "http" || HTTPURL(next).scheme == "https" else {
                throw DownloadRefusal("it redirects from https to plain http")
            }
            url = next
        }
        throw DownloadRefusal("it redirects more than \(PackageDownload.redirectsMax) times")
    }

    static func digest(ofFileAt path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var hash = SHA256()
        while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
            hash.update(data: chunk)
        }
        return hash.finalize().hex
    }
}

/// A working directory that could not be had; trying again would give the same.
struct DownloadError: Error, Sendable, CustomStringConvertible {
    /// Without its query, which may be a secret.
    let url: String
    let reason: String

    init(_ source: PinnedURL, reason: String) {
        url = (try? HTTPURL(source.url).description) ?? "the URL"
        self.reason = reason
    }

    var description: String { "the working directory \(url) cannot be used: \(reason)" }
}
