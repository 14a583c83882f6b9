import Foundation
import HTTPClient

/// A zip file somewhere on the web, together with what it must be: `https://host/x.zip#sha256=…`.
///
/// Without the digest a job would run whatever stands there that day, and two of its workers
/// perhaps two different things. A value that exists has both parts.
package struct PinnedURL: Sendable, Hashable, CustomStringConvertible {
    /// Absolute, http or https, without a fragment.
    package let url: String
    /// SHA-256 in lower-case hex digits.
    package let digest: String

    package static let lengthMax = 4_096

    /// Whether a text is meant as a URL rather than as a folder or a blob.
    package static func isURL(_ text: String) -> Bool {
        let start = text.prefix(8).lowercased()
        return start.hasPrefix("http://") || start.hasPrefix("https://")
    }

    /// - Throws: `PinnedURLError` saying what is wrong and what to write instead.
    package init(_ text: String) throws(PinnedURLError) {
        guard text.utf8.count <= PinnedURL.lengthMax else {
            throw PinnedURLError("is longer than \(PinnedURL.lengthMax) bytes")
        }
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let url = parts.first.map(String.init) ?? ""
        let checked: HTTPURL
        do throws(HTTPClientError) {
            checked = try HTTPURL(url)
        } catch {
            throw PinnedURLError("is no usable URL: \(error)")
        }
        guard checked.user == nil, checked.password == nil else {
            throw PinnedURLError(
                "has a name or password in it, which whoever may see the job could read")
        }
        guard parts.count == 2, parts[1].hasPrefix("sha256=") else {
            throw PinnedURLError(
                """
                does not say which content it must have. Ask for the digest of what you trust:
                  curl -fsSL '\(url)' | sha256sum
                and name it behind the address:
                  \(url)#sha256=<64 hex digits>
                """)
        }
        let digest = parts[1].dropFirst("sha256=".count).lowercased()
        guard digest.isDigest else {
            throw PinnedURLError("must end with #sha256= and 64 hex digits")
        }
        self.url = url
        self.digest = digest
    }

    package init(url: String, digest: String) throws(PinnedURLError) {
        try self.init("\(url)#sha256=\(digest)")
    }

    package var description: String { "\(url)#sha256=\(digest)" }
}

/// Why a text names no pinned zip file; `reason` follows the name of what was set.
package struct PinnedURLError: Error, Sendable, Hashable, CustomStringConvertible {
    package let reason: String
    package var description: String { reason }

    init(_ reason: String) { self.reason = reason }
}
