/// Everything a gateway is told at its start; the defaults serve one machine, without a token.
///
/// Where models come from is not here: `Gateway.init` takes a `ModelSource`.
package struct GatewayConfiguration: Sendable {
    /// The address of the prediction routes. Port 0 takes a free one (`Gateway.boundPort`).
    package var host = "127.0.0.1"
    package var port = 8000
    /// Health and metrics alone, outside the connection cap; nil opens no second listener.
    package var opsPort: Int? = 8002
    /// Where the routes are mounted; the longest prefix that fits a path wins.
    package var prefixes = ["/", "/fastapi_app"]
    /// What an empty `POST /model/load` loads, and what `run` loads at a cold start.
    package var defaultModel: ModelSelector?
    /// Bearer token of the changing routes; needed beyond loopback unless `openServing`.
    package var token: String?
    /// Said in words by the operator: changing routes without a token beyond loopback.
    package var openServing = false
    /// Peers whose `X-Forwarded-*` headers count: addresses without a port.
    package var trustedProxies: Set<String> = ["127.0.0.1", "::1"]
    /// Host names beside loopback's own and `host` that the `Host` header may carry.
    package var allowedHosts: Set<String> = []
    /// Keeps downloaded models and the last choice between starts; nil forgets both.
    package var stateDirectory: String?
    /// Replicas in processes of their own, which need a launcher; nil: the model server is in the
    /// gateway's process.
    package var replicas: ReplicaSettings?
    /// How requests are gathered into batches; nil: every request is computed by itself.
    package var batching: BatchSettings?
    /// Bounds on what clients may ask for.
    package var limits = Limits()
    /// Name and revision of the build, shown by `manta_build_info` and the OpenAPI document.
    package var version = "0.1.0"

    package init() {}

    /// The bounds of one gateway. Reaching one has the answer its comment names.
    package struct Limits: Sendable {
        /// Bytes of a body, packed or not: 413.
        package var bodyBytes = 10 << 20
        /// Bodies over 64 KiB that are read or worked on at once: 503 with `Retry-After`.
        package var concurrentLargeBodies = 32
        /// Nested brackets in a body: 400.
        package var jsonDepth = 64
        /// Rows of one request: 413.
        package var rowCount = 200_000
        /// Bytes of all header fields: 431.
        package var headerBytes = 32 << 10
        /// Predictions decoded or computed at once: 503 with `Retry-After`.
        package var concurrentPredictions = 64
        /// Loads that wait or run: 503 with `Retry-After`.
        package var pendingLoads = 16
        /// Bytes of the model files in memory: the least recently used make room for a new one,
        /// and a load for which there is none answers 507. The default takes any single model.
        package var modelBytes = 4 << 30
        /// Models in memory, as `modelBytes`.
        package var modelCount = 64
        /// Connections of the main listener; further ones wait in the backlog.
        package var connections = 4_096
        /// From the first byte of a request to the end of its headers: the connection closes.
        package var headerTime = Duration.seconds(10)
        /// For a body, plus one second per MiB: 408.
        package var bodyTime = Duration.seconds(10)
        /// Between two requests of a connection: it closes.
        package var idleTime = Duration.seconds(75)
        /// From download to warmed up: 504, the old model stays.
        package var loadTime = Duration.seconds(300)
        /// From the signal until the listener stops accepting, so that routers notice first.
        package var settleTime = Duration.zero

        package init() {}
    }

    /// True when only this machine can reach the listener.
    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// True when changing routes ask for the token: on every address but loopback, unless opened.
    package var needsToken: Bool { !isLoopback && !openServing }

    /// Refuses settings that would serve something unsafe or impossible.
    package func validated() throws(GatewayError) -> Self {
        if needsToken && (token ?? "").isEmpty {
            throw .configuration(
                "listening on \(host) needs a token for /model/load; set MANTA_TOKEN, "
                    + "listen on 127.0.0.1, or say --open-serving")
        }
        for prefix in prefixes where !Self.isPlainPath(prefix) {
            throw .configuration(
                "route prefix '\(prefix)' is not a plain path such as /fastapi_app")
        }
        _ = try batching?.validated()
        guard !prefixes.isEmpty else {
            throw .configuration("a gateway needs at least one route prefix, such as /")
        }
        return self
    }

    /// A path of letters, digits, `-`, `_`, `.` and `/`, from the root, without `..` or `//`.
    static func isPlainPath(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count <= 256 && !path.contains("..")
            && !path.contains("//") && !path.contains("/./")
            && path.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
