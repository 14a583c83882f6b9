internal import HTTPClient

/// Where MLflow is and how to speak to it. A value that exists is valid.
package struct MLflowConfiguration: Sendable, Hashable {
    package enum Credentials: Sendable, Hashable {
        case none
        case basic(user: String, password: String)
        case bearer(token: String)
    }

    /// `http(s)://host[:port][/prefix]`, without a trailing slash and without credentials.
    package let trackingURI: String
    /// The registry's server; the tracking server unless set.
    package let registryURI: String
    /// The address people open: the tracking server's unless it has another one for browsers.
    package var publicURL: String
    package var credentials = Credentials.none
    /// For one request and its answer; bodies of files get more time by their size.
    package var timeout = Duration.seconds(120)
    /// Attempts after the first one.
    package var retriesMax = 7
    package var retryDelayFirst = Duration.milliseconds(500)
    package var retryJitterMax = Duration.seconds(1)
    package var honoursRetryAfter = true
    package var verifiesTLS = true
    package var authoritiesPath: String?
    package var clientCertificatePath: String?
    /// Whether the server may name local folders as artifact stores (`file:`). A server elsewhere
    /// that did would make this process write and read where the server likes.
    package var acceptsFileArtifacts: Bool
    package var experimentName: String?
    package var experimentID: String?
    /// A run to go on with, in place of a new one.
    package var runID: String?
    package var downloadLimits = DownloadLimits()

    package init(
        trackingURI: String = MLflowConfiguration.defaultTrackingURI, registryURI: String? = nil,
        publicURL: String? = nil
    ) throws(MLflowError) {
        let tracking = try ServerAddress(trackingURI, setting: "MLFLOW_TRACKING_URI")
        self.trackingURI = tracking.base
        if let registryURI {
            self.registryURI = try ServerAddress(registryURI, setting: "MLFLOW_REGISTRY_URI").base
        } else {
            self.registryURI = tracking.base
        }
        if let publicURL {
            self.publicURL = try ServerAddress(publicURL, setting: "MLFLOW_PUBLIC_URL").base
        } else {
            self.publicURL = tracking.base
        }
        credentials = tracking.credentials
        acceptsFileArtifacts = tracking.isLoopback
    }

    /// Where `mlflow server` listens when told nothing.
    package static let defaultTrackingURI = "http://127.0.0.1:5000"

    var httpConfiguration: HTTPClientConfiguration {
        var http = HTTPClientConfiguration()
        http.verifiesTLS = verifiesTLS
        http.authoritiesPath = authoritiesPath
        http.clientCertificatePath = clientCertificatePath
        return http
    }

    /// For calls a server may see twice.
    var repeatablePolicy: HTTPRetryPolicy { adapted(.repeatable) }
    /// For creates: only what surely was not processed.
    var createPolicy: HTTPRetryPolicy { adapted(.unprocessedOnly) }

    private func adapted(_ policy: HTTPRetryPolicy) -> HTTPRetryPolicy {
        var policy = policy
        policy.attemptsMax = retriesMax + 1
        policy.delayFirst = retryDelayFirst
        policy.jitterMax = retryJitterMax
        if !honoursRetryAfter { policy.retryAfterMax = .zero }
        return policy
    }
}

/// What a downloaded directory may be at most. The server's listing is not believed beyond it.
package struct DownloadLimits: Sendable, Hashable {
    package var fileCountMax = 1000
    package var bytesMax: Int64 = 8 << 30
    package var depthMax = 8

    package init() {}
}

/// The base address of a server, taken out of a setting.
struct ServerAddress {
    let base: String
    let credentials: MLflowConfiguration.Credentials
    let isLoopback: Bool

    init(_ text: String, setting: String) throws(MLflowError) {
        let url: HTTPURL
        do {
            url = try HTTPURL(text)
        } catch {
            throw MLflowError(
                .invalidConfiguration, operation: "read \(setting)", subject: "the MLflow address",
                message: error.description,
                nextStep:
                    "Start a server with 'mlflow server --host 127.0.0.1 --port 5000' and set "
                    + "\(setting)=http://127.0.0.1:5000; local stores (sqlite:, file:, a path) "
                    + "need that server in front of them.")
        }
        if let user = url.user {
            credentials = .basic(user: user, password: url.password ?? "")
        } else {
            credentials = .none
        }
        isLoopback = url.isLoopback
        var base = url.base
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
    }
}
