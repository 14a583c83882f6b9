internal import Foundation

extension MLflowClient {
    /// Transfers at once within one directory.
    static let transferCountMax = 4

    /// Stores a local file below an artifact URI (a run's, a logged model's).
    package func uploadArtifact(
        _ localPath: String, to artifactURI: String, as path: String
    ) async throws(MLflowError) {
        try await artifactStore(artifactURI).put(file: localPath, at: try ArtifactPath(path))
    }

    package func uploadArtifact(
        bytes: [UInt8], to artifactURI: String, as path: String
    ) async throws(MLflowError) {
        try await artifactStore(artifactURI).put(bytes: bytes, at: try ArtifactPath(path))
    }

    /// Stores all files of a local folder. Doing it again overwrites them.
    ///
    /// A symbolic link in the folder is an error: it would publish what it points to.
    package func uploadDirectory(
        _ localPath: String, to artifactURI: String, below path: ArtifactPath = .root
    ) async throws(MLflowError) {
        let store = try artifactStore(artifactURI)
        let files = try await files(in: FileArtifactStore(root: localPath), of: localPath)
        guard !files.isEmpty else {
            throw LocalFiles.failure("upload the folder", localPath, "it has no files")
        }
        try await forEach(files) { file throws(MLflowError) in
            try await store.put(
                file: file.path.below(localPath), at: path.appending(file.path))
        }
    }

    /// What lies directly in one folder of an artifact URI.
    package func listArtifacts(
        of artifactURI: String, in folder: ArtifactPath = .root
    ) async throws(MLflowError) -> [ArtifactEntry] {
        try await artifactStore(artifactURI).list(folder)
    }

    /// One file of an artifact URI, into a new local file.
    package func downloadArtifact(
        _ path: String, of artifactURI: String, to localPath: String
    ) async throws(MLflowError) {
        try await artifactStore(artifactURI).get(
            try ArtifactPath(path), to: localPath, sizeMax: configuration.downloadLimits.bytesMax)
    }

    /// All files of an artifact URI, into a local folder that appears only when it is complete.
    ///
    /// - Parameter directory: must not exist, or be empty. Its parent is made when missing.
    package func downloadDirectory(
        of artifactURI: String, to directory: String
    ) async throws(MLflowError) {
        let store = try artifactStore(artifactURI)
        let files = try await files(in: store, of: artifactURI)
        guard !files.isEmpty else {
            throw MLflowError(
                .notFound, operation: "download the directory", subject: artifactURI,
                message: "it has no files")
        }
        let temporary = directory + ".\(UUID().uuidString).partial"
        do throws(MLflowError) {
            try LocalFiles.makeFolder(temporary)
            for folder in Set(files.map(\.path.parent)) where !folder.isRoot {
                try LocalFiles.makeFolder(folder.below(temporary))
            }
            try await download(files, from: store, into: temporary)
            try LocalFiles.move(temporary, to: directory)
        } catch {
            LocalFiles.remove(temporary)
            throw error
        }
    }

    /// The sum of the announced sizes is within the limit and no file may exceed its own; files of
    /// unknown size come one by one and share what is left.
    private func download(
        _ files: [ArtifactEntry], from store: any ArtifactStore, into folder: String
    ) async throws(MLflowError) {
        let sized = files.filter { $0.size != nil }
        try await forEach(sized) { file throws(MLflowError) in
            try await store.get(
                file.path, to: file.path.below(folder), sizeMax: file.size ?? 0)
        }
        var left =
            configuration.downloadLimits.bytesMax - sized.reduce(0) { $0 + ($1.size ?? 0) }
        for file in files where file.size == nil {
            let place = file.path.below(folder)
            try await store.get(file.path, to: place, sizeMax: left)
            let size = (try? FileManager.default.attributesOfItem(atPath: place))?[.size] as? Int64
            left -= size ?? 0
        }
    }

    /// Every file below the root of a store, within the limits.
    private func files(
        in store: any ArtifactStore, of subject: String
    ) async throws(MLflowError) -> [ArtifactEntry] {
        let limits = configuration.downloadLimits
        func over(_ message: String) -> MLflowError {
            MLflowError(
                .invalidAnswer, operation: "list the directory", subject: subject,
                message: message)
        }
        var files: [ArtifactEntry] = []
        var folders = [ArtifactPath.root]
        var folderCount = 1
        var bytes: Int64 = 0
        while let folder = folders.popLast() {
            for entry in try await store.list(folder) {
                if entry.isFolder {
                    folderCount += 1
                    guard entry.path.segments.count <= limits.depthMax else {
                        throw over("folders lie deeper than \(limits.depthMax)")
                    }
                    folders.append(entry.path)
                } else {
                    files.append(entry)
                    let (sum, isOver) = bytes.addingReportingOverflow(entry.size ?? 0)
                    guard !isOver, sum <= limits.bytesMax else {
                        throw over("it is larger than \(limits.bytesMax) bytes")
                    }
                    bytes = sum
                }
                guard files.count + folderCount <= limits.fileCountMax else {
                    throw over("it has more than \(limits.fileCountMax) files and folders")
                }
            }
        }
        guard Set(files.map(\.path)).count == files.count else {
            throw over("it lists a file twice")
        }
        return files
    }

    /// Runs `body` for all files, a few at once; the first error ends the others.
    private func forEach(
        _ files: [ArtifactEntry],
        _ body: @escaping @Sendable (ArtifactEntry) async throws(MLflowError) -> Void
    ) async throws(MLflowError) {
        let failure: MLflowError? = await withTaskGroup(of: MLflowError?.self) { group in
            var rest = files[...]
            var failure: MLflowError?
            func startNext() {
                guard failure == nil, let file = rest.popFirst() else { return }
                group.addTask {
                    do throws(MLflowError) {
                        try await body(file)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for _ in 0..<MLflowClient.transferCountMax { startNext() }
            while let ended = await group.next() {
                if let error = ended, failure == nil {
                    failure = error
                    group.cancelAll()
                }
                startNext()
            }
            return failure
        }
        if let failure { throw failure }
    }
}
