package import HTTPClient

/// From where a worker downloads what jobs name.
///
/// A URL in a job is written by whoever may submit, and fetched by a machine that sees more of the
/// network than they do. So it is https, and leads to the public internet only, unless the
/// cluster's own configuration trusts that very server.
package struct DownloadRules: Sendable, Hashable {
    /// `scheme://host:port` of servers that may be anywhere, and speak plain http where it says so.
    private let trusted: Set<String>

    /// - Parameter trusted: URLs of servers; a path in them means nothing.
    /// - Throws: `HTTPClientError.invalidURL` naming the first that is none.
    package init(trusting trusted: [String] = []) throws(HTTPClientError) {
        var origins: Set<String> = []
        for text in trusted { origins.insert(DownloadRules.origin(of: try HTTPURL(text))) }
        self.trusted = origins
    }

    /// Nothing is trusted beyond the public internet.
    package static let publicOnly = DownloadRules()

    private init() { trusted = [] }

    /// A request for `url` as these rules allow it: redirects are left to the caller, who asks here
    /// again.
    ///
    /// - Throws: `DownloadRefusal`.
    package func request(for url: String) throws -> HTTPRequest {
        let parts = try HTTPURL(url)
        var request = HTTPRequest(.get, url)
        request.redirectsMax = 0
        if trusted.contains(DownloadRules.origin(of: parts)) { return request }
        guard parts.scheme == "https" else {
            throw DownloadRefusal(
                "\(parts.scheme)://\(parts.authority) is not https; to allow it, start the workers "
                    + "with --download-from \(parts.scheme)://\(parts.authority)")
        }
        request.refusesPrivateAddresses = true
        return request
    }

    private static func origin(of url: HTTPURL) -> String {
        "\(url.scheme)://\(url.host.lowercased()):\(url.port)"
    }
}

/// A URL that the rules do not allow.
struct DownloadRefusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
