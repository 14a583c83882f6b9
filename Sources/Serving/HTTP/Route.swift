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
    // Open Inference Protocol
    case inferServer = "/v2"
    case inferStatistics = "/v2/models/stats"
    case inferModel = "/v2/models/{model}"
    case inferVersionModel = "/v2/models/{model}/versions/{version}"
    case inferReady = "/v2/models/{model}/ready"
    case inferVersionReady = "/v2/models/{model}/versions/{version}/ready"
    case infer = "/v2/models/{model}/infer"
    case inferVersion = "/v2/models/{model}/versions/{version}/infer"
    case inferConfiguration = "/v2/models/{model}/config"
    case inferVersionConfiguration = "/v2/models/{model}/versions/{version}/config"
    case inferModelStatistics = "/v2/models/{model}/stats"
    case inferVersionStatistics = "/v2/models/{model}/versions/{version}/stats"
    case repositoryIndex = "/v2/repository/index"
    case repositoryLoad = "/v2/repository/models/{model}/load"
    case repositoryUnload = "/v2/repository/models/{model}/unload"
    // KServe's first protocol; the longer form is looked for first
    case kserveModels = "/v1/models"
    case kservePredict = "/v1/models/{model}:predict"
    case kserveModel = "/v1/models/{model}"
    // MLflow's scoring server
    case invocations = "/invocations"
    case mlflowVersion = "/version"

    /// The one method of the route; a GET route answers HEAD too.
    var method: String {
        switch self {
        case .predict, .modelLoad, .serve, .infer, .inferVersion, .repositoryIndex,
            .repositoryLoad, .repositoryUnload, .kservePredict, .invocations:
            "POST"
        default: "GET"
        }
    }

    /// True where every request changes what is served: token, Origin and site are checked.
    /// `/serve` checks them itself, as only some of its actions change anything.
    var isChanging: Bool {
        self == .modelLoad || self == .repositoryLoad || self == .repositoryUnload
    }

    /// True where a body names something and holds no rows.
    var hasSmallBody: Bool { isChanging || self == .repositoryIndex }

    /// True for bodies that need not be JSON: tensors behind it, or a table as CSV.
    func takesBytes(of head: CallHead) -> Bool {
        switch self {
        case .infer, .inferVersion: head.inferenceHeaderLength != nil
        case .invocations: head.isCSV
        default: false
        }
    }

    /// True for what the operations listener answers.
    var isForOperations: Bool {
        switch self {
        case .health, .readyz, .ping, .ready, .startupz, .livez, .healthz, .dashHealthz, .live,
            .metrics:
            true
        default: false
        }
    }

    /// Where a path leads.
    enum Match: Equatable {
        case found(Route, prefix: String, names: RoutePattern.Names)
        case wrongMethod(allowed: String)
        /// The path with its trailing slash taken off is a route: 307 to there.
        case redirect(String)
        case notFound
    }

    private static let byPath = Dictionary(
        allCases.map { ($0.rawValue, $0) }, uniquingKeysWith: { first, _ in first })
    private static let patterns = allCases.compactMap { route in
        RoutePattern(route.rawValue).map { (route, $0) }
    }

    /// The route of a path below its prefix.
    private static func route(at rest: Substring) -> (Route, RoutePattern.Names)? {
        if let route = byPath[String(rest)] { return (route, RoutePattern.Names()) }
        guard rest.hasPrefix("/v") else { return nil }
        for (route, pattern) in patterns {
            if let names = pattern.names(in: rest) { return (route, names) }
        }
        return nil
    }

    /// Finds the route of `path` (without its query) below the longest of `prefixes` that fits.
    ///
    /// `prefixes` are sorted by falling length and end without a slash ("" for the root).
    static func match(_ path: Substring, method: String, prefixes: [String]) -> Match {
        guard let prefix = prefixes.first(where: { fits(path, below: $0) }) else {
            return .notFound
        }
        let rest = path.dropFirst(prefix.count)
        if let (route, names) = route(at: rest) {
            let isAllowed = method == route.method || (method == "HEAD" && route.method == "GET")
            return isAllowed
                ? .found(route, prefix: prefix, names: names) : .wrongMethod(allowed: route.method)
        }
        if rest.last == "/", route(at: rest.dropLast()) != nil {
            return .redirect(String(path.dropLast()))
        }
        return .notFound
    }

    /// Whose errors a path has that leads nowhere.
    static func surface(of path: Substring, prefixes: [String]) -> Surface {
        let prefix = prefixes.first { fits(path, below: $0) } ?? ""
        return .of(path: path.dropFirst(prefix.count))
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
