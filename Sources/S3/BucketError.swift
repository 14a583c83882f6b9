package import HTTPClient

/// Why something was not done with an object: what, to which one, and the server's own words.
package struct BucketError: Error, Sendable, Hashable {
    package enum Cause: Sendable, Hashable {
        /// No such object (404).
        case missing
        /// Somebody else's object, or another version of it, is there (412).
        case conflict
        /// The server knows who asks and does not let them, or does not know who asks (403, 401).
        case denied(code: String)
        /// The bucket is elsewhere; nil when the server does not say where.
        case wrongRegion(String?)
        /// There is no such bucket.
        case noBucket
        /// The bytes are not those that were said (`XAmzContentSHA256Mismatch`, `BadDigest`).
        case otherBytes
        case answered(status: Int, code: String, message: String)
        /// An answer that is none of S3's.
        case malformed(String)
        case notSent(HTTPClientError)
    }

    /// "put", "get", …
    package let operation: String
    package let bucket: String
    package let key: String
    package let cause: Cause

    /// Whether the same call may succeed later.
    package var isTransient: Bool {
        switch cause {
        case .answered(let status, _, _): status >= 500 || status == 429 || status == 408
        case .notSent(let error): error.isTransient
        default: false
        }
    }
}

extension BucketError: CustomStringConvertible {
    package var description: String {
        "\(operation) s3://\(bucket)/\(key): \(cause.words)"
    }
}

extension BucketError.Cause {
    fileprivate var words: String {
        switch self {
        case .missing: return "there is no such object"
        case .conflict: return "another one is there"
        case .denied(let code):
            return "access denied (\(code)); check the credentials, and that they may get, put, "
                + "delete and list there"
        case .wrongRegion(let region):
            return "the bucket is in another region"
                + (region.map { "; set AWS_REGION=\($0)" } ?? "; set AWS_REGION")
        case .noBucket: return "there is no such bucket"
        case .otherBytes: return "the bytes that arrived are not those that were sent"
        case .answered(let status, let code, let message):
            return "\(status) \(code) \(message)"
        case .malformed(let what): return "the answer cannot be read: \(what)"
        case .notSent(let error): return "\(error)"
        }
    }
}
