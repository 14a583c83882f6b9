package import S3

/// Where the origin is, checked when it is made.
package enum OriginLocation: Sendable, Hashable {
    /// An absolute path that all workers see under this name.
    case directory(String)
    case bucket(BucketConfiguration)

    /// - Parameters:
    ///   - text: an absolute path, or `s3://bucket/prefix`.
    ///   - environment: holds a bucket's region, server and credentials.
    /// - Throws: `StoreConfigurationError`, with words for the person who wrote the setting.
    package init(
        _ text: String, environment: [String: String]
    ) throws(StoreConfigurationError) {
        if text.hasPrefix("s3://") {
            do throws(BucketSettingError) {
                self = .bucket(try BucketConfiguration(location: text, environment: environment))
            } catch {
                throw StoreConfigurationError("the origin cannot be used: \(error)")
            }
        } else if text.hasPrefix("/") {
            self = .directory(text)
        } else {
            throw StoreConfigurationError(
                "the origin must be an absolute path or s3://BUCKET/PREFIX, not '\(text)'")
        }
    }

    func open() -> any BlobOrigin {
        switch self {
        case .directory(let path): OriginDirectory(path: path)
        case .bucket(let configuration): OriginBucket(configuration)
        }
    }
}
