import Crypto
import Foundation

@testable import Cluster

/// SHA-256 in lower-case hex, as blobs are named.
enum JobDigest {
    static func of(_ bytes: [UInt8]) -> String { SHA256.hash(data: Data(bytes)).hex }
}
