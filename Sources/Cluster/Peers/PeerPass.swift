internal import Crypto
import Foundation

/// What one process of the cluster shows another to read or leave one blob.
///
/// Made from the cluster's token and good for one method and one blob for a minute. The token
/// itself is never sent: an address in a worker's record may belong to somebody else by now.
enum PeerPass {
    /// Of `Authorization`, before the pass.
    static let scheme = "Manta-Peer "
    /// A pass is good for so long. Clocks may differ by as much again.
    static let lifetimeInSeconds: Int64 = 60

    /// `<expiry>.<hex HMAC-SHA256(secret, "peer:" + method + ":" + digest + ":" + expiry)>`.
    static func make(_ method: String, _ digest: String, secret: String, now: Int64) -> String {
        let expiry = now + lifetimeInSeconds
        return "\(scheme)\(expiry).\(signature(method, digest, expiry, secret))"
    }

    /// Whether the value of `Authorization` is a pass for this, made with this secret.
    ///
    /// - Parameter now: seconds since 1970.
    static func isGood(
        _ shown: String, for method: String, _ digest: String, secret: String, now: Int64
    ) -> Bool {
        guard shown.utf8.count <= 128, shown.hasPrefix(scheme) else { return false }
        let parts = shown.dropFirst(scheme.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let expiry = Int64(parts[0]),
            JobToken.isEqual(String(parts[1]), signature(method, digest, expiry, secret))
        else { return false }
        // Signed by us, so it is a time; compared without adding to what was shown.
        return (now - lifetimeInSeconds...now + 2 * lifetimeInSeconds).contains(expiry)
    }

    /// This moment for `now`.
    static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    private static func signature(
        _ method: String, _ digest: String, _ expiry: Int64, _ secret: String
    ) -> String {
        let key = SymmetricKey(data: Data(secret.utf8))
        let text = Data("peer:\(method):\(digest):\(expiry)".utf8)
        return HMAC<SHA256>.authenticationCode(for: text, using: key).hex
    }
}
