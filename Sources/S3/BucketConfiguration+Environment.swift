internal import Foundation

extension BucketConfiguration {
    /// Reads the variables that AWS's own tools read, and their two files.
    ///
    /// Keys: `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else the
    /// profile (`AWS_PROFILE`, else `default`) in `AWS_SHARED_CREDENTIALS_FILE`, else
    /// `~/.aws/credentials`. Region: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's in
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`. Server: `AWS_ENDPOINT_URL_S3`,
    /// `AWS_ENDPOINT_URL`, `MLFLOW_S3_ENDPOINT_URL`. `MANTA_S3_ADDRESSING` is `path` or
    /// `virtual`; `AWS_CA_BUNDLE` names the authorities to trust.
    package init(
        location: String, environment: [String: String]
    ) throws(BucketSettingError) {
        let settings = Settings(environment)
        var addressing: Addressing?
        if let text = settings.first("MANTA_S3_ADDRESSING") {
            addressing = Addressing(rawValue: text)
            guard addressing != nil else {
                throw BucketSettingError(
                    "MANTA_S3_ADDRESSING is path or virtual, not '\(text.prefix(40))'")
            }
        }
        try self.init(
            location: location, region: settings.region() ?? BucketConfiguration.regionDefault,
            endpoint: settings.first(
                "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"),
            addressing: addressing, credentials: try settings.credentials())
        authoritiesPath = settings.first("AWS_CA_BUNDLE")
    }
}

/// The environment with empty values taken as absent, and AWS's files.
private struct Settings {
    private let environment: [String: String]
    private static let fileMax = 1 << 20

    init(_ environment: [String: String]) { self.environment = environment }

    func first(_ names: String...) -> String? {
        names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    }

    private var profile: String { first("AWS_PROFILE", "AWS_DEFAULT_PROFILE") ?? "default" }

    func region() -> String? {
        if let region = first("AWS_REGION", "AWS_DEFAULT_REGION") { return region }
        let name = profile == "default" ? "default" : "profile " + profile
        return file("AWS_CONFIG_FILE", "config")?[name]?["region"]
    }

    func credentials() throws(BucketSettingError) -> Credentials {
        let given = (key: first("AWS_ACCESS_KEY_ID"), secret: first("AWS_SECRET_ACCESS_KEY"))
        if let key = given.key, let secret = given.secret {
            return Credentials(
                accessKey: key, secretKey: secret, sessionToken: first("AWS_SESSION_TOKEN"))
        }
        guard given.key == nil, given.secret == nil else {
            throw BucketSettingError(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together; one is not set")
        }
        let section = file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?[profile] ?? [:]
        guard let key = section["aws_access_key_id"], let secret = section["aws_secret_access_key"]
        else {
            throw BucketSettingError(
                "no credentials for the bucket: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                    + "or write the profile '\(profile)' into the shared credentials file")
        }
        return Credentials(
            accessKey: key, secretKey: secret, sessionToken: section["aws_session_token"])
    }

    /// The sections of one of AWS's files; nil when it cannot be read.
    private func file(_ variable: String, _ name: String) -> [String: [String: String]]? {
        let path = first(variable) ?? (environment["HOME"] ?? "/root") + "/.aws/" + name
        guard let data = FileManager.default.contents(atPath: path),
            data.count <= Settings.fileMax
        else { return nil }
        var sections: [String: [String: String]] = [:]
        var section = ""
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.hasPrefix("#") || text.hasPrefix(";") { continue }
            if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
                section = text[text.index(after: text.startIndex)..<end]
                    .trimmingCharacters(in: .whitespaces)
            } else if let equals = text.firstIndex(of: "=") {
                let key = text[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
                let value = text[text.index(after: equals)...]
                    .trimmingCharacters(in: .whitespaces)
                if !value.isEmpty { sections[section, default: [:]][key] = value }
            }
        }
        return sections
    }
}
