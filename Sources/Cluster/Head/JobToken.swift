internal import Crypto
import Foundation
package import Jobs

/// The token a job's processes get: good for this job's id, worthless for finding the cluster's
/// own.
package enum JobToken {
    /// `job.<id>.<hex HMAC-SHA256(secret, "job:" + id)>`.
    package static func make(for job: JobID, secret: String) -> String {
        "job.\(job).\(signature(of: job.rawValue, secret))"
    }

    /// The job a token was made for; nil when it was not made with this secret.
    package static func job(of token: String, secret: String) -> JobID? {
        guard token.hasPrefix("job."), let end = token.lastIndex(of: "."),
            let start = token.index(token.startIndex, offsetBy: 4, limitedBy: end), start < end
        else { return nil }
        let id = String(token[start..<end])
        let given = String(token[token.index(after: end)...])
        guard isEqual(given, signature(of: id, secret)) else { return nil }
        return JobID(rawValue: id)
    }

    /// Compares in a time that depends on the lengths only.
    package static func isEqual(_ left: String, _ right: String) -> Bool {
        let left = SHA256.hash(data: Data(left.utf8))
        let right = SHA256.hash(data: Data(right.utf8))
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func signature(of id: String, _ secret: String) -> String {
        let key = SymmetricKey(data: Data(secret.utf8))
        return HMAC<SHA256>.authenticationCode(for: Data("job:\(id)".utf8), using: key).hex
    }
}
