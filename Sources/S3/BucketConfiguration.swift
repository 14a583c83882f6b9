internal import HTTPClient

/// Which bucket, below which prefix, at which server, and as whom: checked when it is made.
package struct BucketConfiguration: Sendable, Hashable {
    /// Where the bucket's name stands in a URL.
    package enum Addressing: String, Sendable, Hashable, CaseIterable {
        /// `https://server/bucket/key`, which MinIO and most other servers take.
        case path
        /// `https://bucket.server/key`, which AWS asks for.
        case virtual
    }

    package let bucket: String
    /// What every key begins with: empty, or with a slash at its end.
    package let prefix: String
    package let region: String
    /// `scheme://host[:port]`, without the bucket.
    package let endpoint: String
    package let addressing: Addressing
    package let credentials: Credentials
    /// PEM file of the authorities to trust, in place of the system's.
    package var authoritiesPath: String?
    /// A transfer with no byte for so long is lost.
    package var idleTimeout = Duration.seconds(30)
    /// A larger object is sent in parts of at least this size. S3 takes parts of 5 MiB to 5 GiB.
    package var partInBytes: Int64 = 64 << 20
    /// Tries of one request, the first one counted.
    package var attemptsMax = 4

    package static let prefixMax = 512
    package static let regionDefault = "us-east-1"

    /// - Parameters:
    ///   - location: `s3://bucket` or `s3://bucket/prefix`.
    ///   - endpoint: the server's URL; nil: AWS's in this region.
    ///   - addressing: nil: by path at an endpoint that is named, else by host, unless the
    ///     bucket's name has a dot, which no certificate covers.
    /// - Throws: `BucketSettingError`, with words for the person who wrote the setting.
    package init(
        location: String, region: String = BucketConfiguration.regionDefault,
        endpoint: String? = nil, addressing: Addressing? = nil, credentials: Credentials
    ) throws(BucketSettingError) {
        let parts = try BucketConfiguration.parts(of: location)
        bucket = parts.bucket
        prefix = parts.prefix
        guard BucketConfiguration.isRegion(region) else {
            throw BucketSettingError("'\(region.prefix(64))' is no region; take eu-central-1")
        }
        self.region = region
        self.endpoint = try BucketConfiguration.server(endpoint, region: region)
        self.addressing =
            addressing ?? (endpoint != nil || bucket.contains(".") ? .path : .virtual)
        self.credentials = credentials
    }

    /// The URL of a key, which is escaped once: what is signed is what is sent.
    ///
    /// - Parameter key: below the prefix; empty: the bucket itself.
    func url(of key: String, query: [(name: String, value: String)] = []) -> String {
        let segments = (prefix + key).split(separator: "/", omittingEmptySubsequences: false)
        let path = key.isEmpty ? "" : PercentEncoding.path(segments.map(String.init))
        let sorted = query.sorted { $0.name < $1.name }
        let suffix = sorted.isEmpty ? "" : "?" + PercentEncoding.query(sorted)
        switch addressing {
        case .path:
            return endpoint + "/" + bucket + (path.isEmpty ? "" : "/" + path) + suffix
        case .virtual:
            let host = endpoint.split(separator: "/", maxSplits: 2).last ?? ""
            let scheme = endpoint.prefix { $0 != ":" }
            return "\(scheme)://\(bucket).\(host)/\(path)\(suffix)"
        }
    }

    private static func parts(
        of location: String
    ) throws(BucketSettingError) -> (bucket: String, prefix: String) {
        let scheme = "s3://"
        guard location.hasPrefix(scheme) else {
            throw BucketSettingError(
                "'\(location.prefix(200))' is no bucket; take s3://BUCKET/PREFIX")
        }
        let rest = location.dropFirst(scheme.count)
        let bucket = String(rest.prefix { $0 != "/" })
        guard isBucket(bucket) else {
            throw BucketSettingError(
                "'\(bucket.prefix(80))' is no bucket's name: 3 to 63 of a–z, 0–9, '-' and '.', "
                    + "a letter or digit at both ends")
        }
        let folders = rest.dropFirst(bucket.count).split(separator: "/")
        let prefix = folders.map { $0 + "/" }.joined()
        guard prefix.utf8.count <= prefixMax, !folders.contains("."), !folders.contains(".."),
            prefix.utf8.allSatisfy(isKeyByte)
        else {
            throw BucketSettingError(
                "'\(prefix.prefix(80))' is no prefix: at most \(prefixMax) letters, digits, "
                    + "'-', '_', '.', '=' and '/', no folder '.' or '..'")
        }
        return (bucket, prefix)
    }

    private static func server(
        _ endpoint: String?, region: String
    ) throws(BucketSettingError) -> String {
        guard let endpoint else {
            return "https://s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
        }
        do throws(HTTPClientError) {
            let url = try HTTPURL(endpoint)
            guard url.path == "/", url.user == nil, url.password == nil, !endpoint.contains("?")
            else {
                throw .invalidURL(url.description, reason: "take scheme://host:port and no more")
            }
            return String(url.base.dropLast())
        } catch {
            throw BucketSettingError("the bucket's endpoint cannot be used: \(error)")
        }
    }

    private static func isBucket(_ name: String) -> Bool {
        let isPlain = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count), isPlain(bytes[0]), isPlain(bytes[bytes.count - 1])
        else { return false }
        return bytes.allSatisfy { isPlain($0) || "-.".utf8.contains($0) } && !name.contains("..")
    }

    private static func isRegion(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { isKeyByte($0) && !"_.=/".utf8.contains($0) }
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-_.=/".utf8.contains(byte)
        }
    }
}

/// A bucket's setting that cannot be used, in words that say what to write instead.
package struct BucketSettingError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
