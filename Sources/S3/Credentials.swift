/// What requests to a bucket are signed with. Printing one shows no secret.
package struct Credentials: Sendable, Hashable {
    package let accessKey: String
    let secretKey: String
    /// Of temporary credentials.
    let sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

extension Credentials: CustomStringConvertible, CustomReflectable {
    package var description: String { "credentials \(accessKey)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
