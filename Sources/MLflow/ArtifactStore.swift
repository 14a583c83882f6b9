internal import Foundation
internal import HTTPClient

/// Files below one artifact URI.
protocol ArtifactStore: Sendable {
    /// What lies directly in a folder; nothing when it is missing.
    func list(_ folder: ArtifactPath) async throws(MLflowError) -> [ArtifactEntry]
    /// Stores a local file's content, in place of what was there.
    func put(file localPath: String, at path: ArtifactPath) async throws(MLflowError)
    func put(bytes: [UInt8], at path: ArtifactPath) async throws(MLflowError)
    /// Writes the content to a new local file. After a failure there is none.
    func get(
        _ path: ArtifactPath, to localPath: String, sizeMax: Int64
    ) async throws(MLflowError)
}

extension MLflowClient {
    /// The store an artifact URI names.
    ///
    /// `mlflow-artifacts:` goes through the tracking server. `file:` is used only when the server
    /// is on this machine (`acceptsFileArtifacts`). Other stores would need their own clients.
    func artifactStore(_ uri: String) throws(MLflowError) -> any ArtifactStore {
        func unsupported(_ message: String, _ nextStep: String) -> MLflowError {
            MLflowError(
                .unsupportedStore, operation: "use the artifact store", subject: uri,
                message: message, nextStep: nextStep)
        }
        guard let colon = uri.firstIndex(of: ":"), !uri.hasPrefix("/") else {
            return try fileStore(uri, uri)
        }
        let rest = String(uri[uri.index(after: colon)...])
        switch uri[..<colon] {
        case "mlflow-artifacts":
            let root = try proxiedRoot(rest, uri)
            return ProxiedArtifactStore(channel: tracking, root: root)
        case "file":
            guard rest.hasPrefix("/") else { return try fileStore(rest, uri) }
            let path = rest.hasPrefix("///") ? String(rest.dropFirst(2)) : rest
            return try fileStore(path.removingPercentEncoding ?? path, uri)
        default:
            throw unsupported(
                "only 'mlflow-artifacts:' and 'file:' stores are supported",
                "Start the server with --artifacts-destination set to that store, so that it "
                    + "passes artifacts on.")
        }
    }

    /// `/1/abc/artifacts` or `//host:port/1/abc/artifacts`.
    private func proxiedRoot(
        _ rest: String, _ uri: String
    ) throws(MLflowError) -> ArtifactPath {
        var path = Substring(rest)
        if path.hasPrefix("//") && !path.hasPrefix("///") {
            path = path.dropFirst(2)
            let authority = path.prefix { $0 != "/" }
            // Our credentials go to the configured server only.
            guard tracking.base.hasSuffix("://" + authority) else {
                throw MLflowError(
                    .unsupportedStore, operation: "use the artifact store", subject: uri,
                    message: "it is on another server than \(tracking.base)")
            }
            path = path.dropFirst(authority.count)
        }
        while path.hasPrefix("/") { path = path.dropFirst() }
        while path.hasSuffix("/") { path = path.dropLast() }
        return path.isEmpty ? .root : try ArtifactPath(String(path))
    }

    private func fileStore(
        _ path: String, _ uri: String
    ) throws(MLflowError) -> any ArtifactStore {
        guard configuration.acceptsFileArtifacts else {
            throw MLflowError(
                .unsupportedStore, operation: "use the artifact store", subject: uri,
                message: "a server on another machine names a local folder",
                nextStep: "Start it with --serve-artifacts and --artifacts-destination.")
        }
        guard path.hasPrefix("/") else {
            throw MLflowError(
                .unsupportedStore, operation: "use the artifact store", subject: uri,
                message: "it is a path relative to the server's working directory",
                nextStep: "Start the server with an absolute --default-artifact-root.")
        }
        let below = try ArtifactPath(String(path.drop { $0 == "/" }))
        return FileArtifactStore(root: "/" + below.text)
    }
}

/// Artifacts that the tracking server passes on (`mlflow-artifacts:`).
struct ProxiedArtifactStore: ArtifactStore {
    let channel: ServerChannel
    let root: ArtifactPath

    func list(_ folder: ArtifactPath) async throws(MLflowError) -> [ArtifactEntry] {
        struct File: Decodable {
            var path: String?
            var isDir: Bool?
            var fileSize: LooseInteger?
        }
        struct Answer: Decodable { var files: [File]? }
        let call = ServerChannel.Call.get(
            "mlflow-artifacts/artifacts", [("path", root.appending(folder).text)],
            to: "list artifacts", folder.text)
        let answer = try await channel.perform(call, as: Answer.self)
        var entries: [ArtifactEntry] = []
        for file in answer.files ?? [] {
            entries.append(
                ArtifactEntry(
                    path: try folder.appending(name: file.path ?? ""),
                    isFolder: file.isDir ?? false,
                    size: file.fileSize.map { max(0, $0.value) }))
        }
        return entries
    }

    func put(file localPath: String, at path: ArtifactPath) async throws(MLflowError) {
        let size = (try? FileManager.default.attributesOfItem(atPath: localPath))?[.size] as? Int64
        try await put(.file(path: localPath), size: size ?? 0, at: path)
    }

    func put(bytes: [UInt8], at path: ArtifactPath) async throws(MLflowError) {
        try await put(.bytes(bytes), size: Int64(bytes.count), at: path)
    }

    private func put(
        _ body: HTTPRequest.Body, size: Int64, at path: ArtifactPath
    ) async throws(MLflowError) {
        var request = channel.request(.put, address(path))
        request.body = body
        request.timeout = time(for: size)
        request.headers["Content-Type"] = "application/octet-stream"
        _ = try await channel.send(
            request, channel.configuration.repeatablePolicy, "store the artifact", path.text)
    }

    func get(
        _ path: ArtifactPath, to localPath: String, sizeMax: Int64
    ) async throws(MLflowError) {
        var request = channel.request(.get, address(path))
        request.timeout = time(for: sizeMax)
        request.idleTimeout = channel.configuration.timeout
        let operation = "download the artifact"
        let response: HTTPResponse
        do {
            response = try await channel.http.download(
                request, to: localPath, sizeMax: Int(sizeMax),
                retrying: channel.configuration.repeatablePolicy)
        } catch {
            throw MLflowError(
                error, operation: operation, subject: path.text, server: channel.base)
        }
        guard response.isSuccess else {
            throw MLflowError(
                response, operation: operation, subject: path.text, server: channel.base)
        }
    }

    private func address(_ path: ArtifactPath) -> String {
        "/api/2.0/mlflow-artifacts/artifacts/"
            + PercentEncoding.path(root.appending(path).segments)
    }

    /// The configured time and a second for each MiB: also a slow line gets a file through.
    private func time(for size: Int64) -> Duration {
        channel.configuration.timeout + .seconds(size >> 20)
    }
}
