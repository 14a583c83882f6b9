/// Everything a head is told when it starts.
package struct HeadConfiguration: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// 0: any free port, see `Head.run`'s `onReady`.
    package var port = 8265
    /// What a caller must show as `Authorization: Bearer …`. Never empty.
    package var token: String
    package var version: String
    /// Bytes of an uploaded script or working directory.
    package var uploadMax = 512 << 20
    /// Where uploads stand until they are complete.
    package var scratchDirectory = "/tmp"
    /// Bytes of any other body.
    package var bodyMax = 1 << 20

    /// - Throws: `HeadConfigurationError` when the token is empty.
    package init(token: String, version: String) throws {
        guard !token.isEmpty else {
            throw HeadConfigurationError(
                reason: "the head needs a token; set MANTA_TOKEN or MANTA_TOKEN_FILE")
        }
        self.token = token
        self.version = version
    }
}

package struct HeadConfigurationError: Error, CustomStringConvertible {
    let reason: String
    package var description: String { reason }
}
