/// Where other processes of the cluster fetch large blobs from a worker, and which it has.
///
/// Part of the worker's record, so that it is gone when the worker is, and bounded: about 4 KiB in
/// every heartbeat at most.
package struct PeerOffer: Sendable, Codable, Hashable {
    /// "host:port".
    package var address: String
    /// The first `digitsShown` digits of digests, the last used blob first.
    package var blobs: [String]

    /// Of what a worker has, so many blobs are offered.
    package static let blobsMax = 256
    /// 48 bits: two blobs of one cluster that share them cost one question in vain.
    package static let digitsShown = 12

    /// - Parameter digests: SHA-256 in lower-case hex digits; those beyond `blobsMax` are left out.
    package init(address: String, digests: [String]) {
        self.address = address
        blobs = digests.prefix(PeerOffer.blobsMax).map { String($0.prefix(PeerOffer.digitsShown)) }
    }

    /// Whether the worker most likely has this blob.
    package func mentions(_ digest: String) -> Bool {
        blobs.contains(String(digest.prefix(PeerOffer.digitsShown)))
    }
}
