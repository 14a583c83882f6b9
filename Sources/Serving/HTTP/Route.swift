/// What a path below a prefix means. The paths are declared here once, for routing and for OpenAPI.
enum Route: String, CaseIterable, Sendable {
    case predict = "/predict"
    case modelLoad = "/model/load"
    case serve = "/serve"
    case health = "/health"
    case readyz = "/readyz"
    case ping = "/ping"
    case ready = "/v2/health/ready"
    case startupz = "/startupz"
    case livez = "/livez"
    case healthz = "/healthz"
    case dashHealthz = "/-/healthz"
    case live = "/v2/health/live"
    case metrics = "/metrics"
    case openAPI = "/openapi.json"
    case docs = "/docs"
    case docsScript = "/docs/app.js"

    /// The one method of the route; a GET route answers HEAD too.
    var method: String {
        switch self {
        case .predict, .modelLoad, .serve: "POST"
        default: "GET"
        }
    }

    /// True where every request changes what is served: token, Origin and site are checked.
    /// `/serve` checks them itself, as only some of its actions change anything.
    var isChanging: Bool { self == .modelLoad }

    /// True for what the operations listener answers.
    var isForOperations: Bool {
        switch self {
        case .predict, .modelLoad, .serve, .openAPI, .docs, .docsScript: false
        default: true
        }
    }

    /// Where a path leads.
    enum Match: Equatable {
        case found(Route, prefix: String)
        case wrongMethod(allowed: String)
        /// The path with its trailing slash taken off is a route: 307 to there.
        case redirect(String)
        case notFound
    }

    private static let byPath = Dictionary(
        allCases.map { ($0.rawValue, $0) }, uniquingKeysWith: { first, _ in first })

    /// Finds the route of `path` (without its query) below the longest of `prefixes` that fits.
    ///
    /// `prefixes` are sorted by falling length and end without a slash ("" for the root).
    static func match(_ path: Substring, method: String, prefixes: [String]) -> Match {
        guard let prefix = prefixes.first(where: { fits(path, below: $0) }) else {
            return .notFound
        }
        let rest = path.dropFirst(prefix.count)
        if let route = byPath[String(rest)] {
            let isAllowed = method == route.method || (method == "HEAD" && route.method == "GET")
            return isAllowed
                ? .found(route, prefix: prefix) : .wrongMethod(allowed: route.method)
        }
        if rest.last == "/", byPath[String(rest.dropLast())] != nil {
            return .redirect(String(path.dropLast()))
        }
        return .notFound
    }

    private static func fits(_ path: Substring, below prefix: String) -> Bool {
        path.hasPrefix(prefix)
            && (path.count == prefix.count || path.dropFirst(prefix.count).first == "/")
    }

    /// Prefixes as `match` takes them.
    static func sorted(prefixes: [String]) -> [String] {
        prefixes.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
            .sorted { $0.count > $1.count }
    }
}
