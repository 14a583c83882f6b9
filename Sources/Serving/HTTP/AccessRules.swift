import Crypto

/// Who may call what: the Host, Origin and token checks of one listener.
///
/// A listener on loopback trusts whoever reaches it, so the danger there is a web page: it may have
/// rebound its name to 127.0.0.1 (the Host check) or send requests from another site (Origin and
/// Sec-Fetch-Site). Beyond loopback changing routes need the token.
struct AccessRules: Sendable {
    /// Why a request is refused.
    enum Refusal: Equatable {
        case foreignHost(String)
        case foreignOrigin(String)
        case tokenMissing
        case tokenWrong
    }

    /// What the checks read of a request.
    struct Caller {
        var host: String?
        var origin: String?
        var fetchSite: String?
        var authorization: String?
    }

    private let checksHost: Bool
    private let hosts: Set<String>
    private let tokenDigest: SHA256Digest?

    init(_ configuration: GatewayConfiguration) {
        checksHost = configuration.isLoopback || !configuration.allowedHosts.isEmpty
        hosts = configuration.allowedHosts.union([configuration.host, "localhost"])
            .reduce(into: []) { $0.insert($1.lowercased()) }
        tokenDigest =
            configuration.needsToken
            ? SHA256.hash(data: Array((configuration.token ?? "").utf8)) : nil
    }

    /// Nil when the request may pass.
    func refusal(of caller: Caller, isChanging: Bool) -> Refusal? {
        if checksHost, let host = caller.host, !isKnown(host: host) { return .foreignHost(host) }
        guard isChanging else { return nil }
        if caller.fetchSite == "cross-site" {
            return .foreignOrigin(caller.origin ?? "another site")
        }
        if let origin = caller.origin, !isSame(origin: origin, host: caller.host) {
            return .foreignOrigin(origin)
        }
        return tokenRefusal(of: caller)
    }

    private func tokenRefusal(of caller: Caller) -> Refusal? {
        guard let tokenDigest else { return nil }
        guard let authorization = caller.authorization else { return .tokenMissing }
        let scheme = "bearer "
        guard authorization.prefix(scheme.count).lowercased() == scheme else {
            return .tokenMissing
        }
        // Digests are compared, so the time says nothing about the token; CryptoKit's == is
        // constant.
        let given = authorization.dropFirst(scheme.count).utf8
        return SHA256.hash(data: Array(given)) == tokenDigest ? nil : .tokenWrong
    }

    /// Loopback's names, the configured ones, and plain addresses: a rebound name is none of them.
    private func isKnown(host: String) -> Bool {
        let name = Self.name(of: host).lowercased()
        return hosts.contains(name) || name.hasPrefix("[") || Self.isIPv4(name)
    }

    /// An origin is ours when it is http(s):// plus the very Host the request was sent to.
    private func isSame(origin: String, host: String?) -> Bool {
        guard let host else { return false }
        let lowered = origin.lowercased()
        for scheme in ["http://", "https://"] where lowered.hasPrefix(scheme) {
            return lowered.dropFirst(scheme.count) == host.lowercased()
        }
        return false
    }

    /// The host without its port; an IPv6 address keeps its brackets.
    static func name(of host: String) -> Substring {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return host[...end] }
        return host.firstIndex(of: ":").map { host[..<$0] } ?? host[...]
    }

    private static func isIPv4(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    /// A host that may be shown in a command line or a link: letters, digits, `.-:[]`.
    static func isPlain(host: String) -> Bool {
        !host.isEmpty && host.utf8.count <= 255
            && host.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x3A, 0x41...0x5B, 0x5D, 0x61...0x7A, UInt8(ascii: "."),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
