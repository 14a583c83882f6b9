/// Who signs a request for AWS's Signature Version 4, which libcurl computes (`CURLOPT_AWS_SIGV4`).
///
/// The caller gives the URL as it is signed: each byte of the path escaped once, the query's items
/// sorted by name, each with its `=`. The hash of the body goes into the header
/// `x-amz-content-sha256`. Printing one shows neither secret nor token.
package struct HTTPSignature: Sendable, Hashable {
    package let accessKey: String
    let secretKey: String
    /// Of temporary credentials; it is sent and signed.
    let sessionToken: String?
    package let region: String
    package let service: String

    package init(
        accessKey: String, secretKey: String, sessionToken: String? = nil, region: String,
        service: String
    ) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.region = region
        self.service = service
    }

    /// - Throws: `.invalidHeader` for a value that could change what is signed or sent.
    func check() throws(HTTPClientError) {
        for (name, value) in [
            ("access key", accessKey), ("secret key", secretKey),
            ("session token", sessionToken ?? "-"),
        ] where !value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) || value.isEmpty {
            throw .invalidHeader(name: name, reason: "it is empty or has other than plain letters")
        }
        for (name, value) in [("region", region), ("service", service)] {
            guard !value.isEmpty, value.utf8.count <= 64,
                value.utf8.allSatisfy(HTTPSignature.isNameByte)
            else { throw .invalidHeader(name: name, reason: "'\(value.prefix(64))' is none") }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension HTTPSignature: CustomStringConvertible, CustomReflectable {
    package var description: String { "AWS4 for \(service) in \(region)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
