/// What all requests of one client share.
package struct HTTPClientConfiguration: Sendable, Hashable {
    package var userAgent = "manta"
    package var connectTimeout = Duration.seconds(10)
    package var connectionsPerHostMax = 64
    package var connectionsMax = 256
    /// Off only when a person asked for it in words.
    package var verifiesTLS = true
    /// PEM file of the authorities to trust, in place of the system's.
    package var authoritiesPath: String?
    /// PEM file with the client's certificate and key.
    package var clientCertificatePath: String?

    package init() {}
}
