internal import Foundation

extension MLflowConfiguration {
    /// Whether the environment names a tracking server at all.
    package static func isConfigured(in environment: [String: String]) -> Bool {
        !(environment["MLFLOW_TRACKING_URI"] ?? "").isEmpty
    }

    /// Reads the variables MLflow's own clients read, and `MLFLOW_PUBLIC_URL`.
    ///
    /// Secrets may also come from a file: `MLFLOW_TRACKING_PASSWORD_FILE` names the file that holds
    /// the password. What is missing is looked for in `~/.mlflow/credentials`.
    package init(environment: [String: String]) throws(MLflowError) {
        let settings = Settings(environment)
        try self.init(
            trackingURI: settings["MLFLOW_TRACKING_URI"] ?? MLflowConfiguration.defaultTrackingURI,
            registryURI: settings["MLFLOW_REGISTRY_URI"], publicURL: settings["MLFLOW_PUBLIC_URL"])
        if let found = try settings.credentials() { credentials = found }
        verifiesTLS = settings["MLFLOW_TRACKING_INSECURE_TLS"]?.lowercased() != "true"
        authoritiesPath = settings["MLFLOW_TRACKING_SERVER_CERT_PATH"]
        clientCertificatePath = settings["MLFLOW_TRACKING_CLIENT_CERT_PATH"]
        experimentName = settings["MLFLOW_EXPERIMENT_NAME"]
        experimentID = settings["MLFLOW_EXPERIMENT_ID"]
        runID = settings["MLFLOW_RUN_ID"]
        if let seconds = try settings.number("MLFLOW_HTTP_REQUEST_TIMEOUT", in: 1...3600) {
            timeout = .seconds(seconds)
        }
        if let count = try settings.number("MLFLOW_HTTP_REQUEST_MAX_RETRIES", in: 0...10) {
            retriesMax = Int(count)
        }
        if let seconds = try settings.number("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", in: 0...60) {
            retryDelayFirst = .seconds(seconds)
        }
        if let seconds = try settings.number("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", in: 0...60) {
            retryJitterMax = .seconds(seconds)
        }
        honoursRetryAfter =
            settings["MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"]?.lowercased() != "false"
    }
}

/// The environment with empty values taken as absent.
private struct Settings {
    private let environment: [String: String]

    init(_ environment: [String: String]) {
        self.environment = environment
    }

    subscript(name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func number(
        _ name: String, in range: ClosedRange<Double>
    ) throws(MLflowError) -> Double? {
        guard let text = self[name] else { return nil }
        guard let number = Double(text), range.contains(number) else {
            throw invalid(name, "'\(text.prefix(40))' is not a number in \(range)")
        }
        return number
    }

    /// User and password win over the token, as in MLflow's own client.
    func credentials() throws(MLflowError) -> MLflowConfiguration.Credentials? {
        let file = credentialsFile()
        let user = try secret("MLFLOW_TRACKING_USERNAME") ?? file["mlflow_tracking_username"]
        let password = try secret("MLFLOW_TRACKING_PASSWORD") ?? file["mlflow_tracking_password"]
        if let user, let password { return .basic(user: user, password: password) }
        return try secret("MLFLOW_TRACKING_TOKEN").map { .bearer(token: $0) }
    }

    private func secret(_ name: String) throws(MLflowError) -> String? {
        if let value = self[name] { return value }
        guard let path = self[name + "_FILE"] else { return nil }
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 << 10 else {
            throw invalid(name + "_FILE", "the file '\(path)' cannot be read")
        }
        let text = String(decoding: data, as: UTF8.self)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The `[mlflow]` section of `~/.mlflow/credentials`; empty when there is none.
    private func credentialsFile() -> [String: String] {
        guard let home = self["HOME"],
            let data = FileManager.default.contents(atPath: home + "/.mlflow/credentials"),
            data.count <= 64 << 10
        else { return [:] }
        var section = ""
        var values: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("[") {
                section = line.trimmingCharacters(in: CharacterSet(charactersIn: "[] "))
            } else if section == "mlflow", let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmingCharacters(in: .whitespaces)
                let value = line[line.index(after: equals)...]
                values[key] = value.trimmingCharacters(in: .whitespaces)
            }
        }
        return values
    }

    private func invalid(_ name: String, _ message: String) -> MLflowError {
        MLflowError(
            .invalidConfiguration, operation: "read the environment", subject: name,
            message: message)
    }
}
