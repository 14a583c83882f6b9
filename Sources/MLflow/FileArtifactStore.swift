internal import Foundation

/// Artifacts in a folder of this machine (`file:`).
struct FileArtifactStore: ArtifactStore {
    let root: String

    func list(_ folder: ArtifactPath) async throws(MLflowError) -> [ArtifactEntry] {
        try LocalFiles.entries(of: folder, below: root)
    }

    func put(file localPath: String, at path: ArtifactPath) async throws(MLflowError) {
        try makeParent(of: path)
        let place = path.below(root)
        let temporary = place + ".\(UUID().uuidString).partial"
        try LocalFiles.copy(localPath, to: temporary, sizeMax: .max)
        try LocalFiles.move(temporary, to: place)
    }

    func put(bytes: [UInt8], at path: ArtifactPath) async throws(MLflowError) {
        try makeParent(of: path)
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path.below(root)), options: .atomic)
        } catch {
            throw LocalFiles.failure("write the file", path.below(root), "\(error)")
        }
    }

    func get(
        _ path: ArtifactPath, to localPath: String, sizeMax: Int64
    ) async throws(MLflowError) {
        try LocalFiles.copy(path.below(root), to: localPath, sizeMax: sizeMax)
    }

    private func makeParent(of path: ArtifactPath) throws(MLflowError) {
        try LocalFiles.makeFolder(path.parent.below(root))
    }
}

/// Files and folders of this machine, never through symbolic links.
enum LocalFiles {
    /// What lies in a folder, in name order; nothing when it is missing.
    ///
    /// - Throws: for a symbolic link, a device or a socket: they lead elsewhere or never end.
    static func entries(
        of folder: ArtifactPath, below root: String
    ) throws(MLflowError) -> [ArtifactEntry] {
        let place = folder.below(root)
        var status = stat()
        guard lstat(place, &status) == 0 else {
            if errno == ENOENT { return [] }
            throw failure("list the folder", place)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: place)
        } catch {
            throw failure("list the folder", place, "\(error)")
        }
        var entries: [ArtifactEntry] = []
        for name in names.sorted() {
            let path = try folder.appending(name: name)
            guard lstat(path.below(root), &status) == 0 else {
                throw failure("read the file", path.below(root))
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                entries.append(
                    ArtifactEntry(path: path, isFolder: false, size: Int64(status.st_size)))
            case S_IFDIR:
                entries.append(ArtifactEntry(path: path, isFolder: true, size: nil))
            default:
                throw failure(
                    "use the file", path.below(root), "it is neither a regular file nor a folder")
            }
        }
        return entries
    }

    static func makeFolder(_ path: String) throws(MLflowError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw failure("make the folder", path, "\(error)")
        }
    }

    /// Copies a regular file to a new one. After a failure there is no new one.
    static func copy(
        _ source: String, to target: String, sizeMax: Int64
    ) throws(MLflowError) {
        let input = open(source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard input >= 0 else { throw failure("read the file", source) }
        defer { close(input) }
        var status = stat()
        guard fstat(input, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("read the file", source, "it is not a regular file")
        }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw failure("write the file", target) }
        do throws(MLflowError) {
            try copyBytes(from: input, to: output, sizeMax: sizeMax, source, target)
        } catch {
            close(output)
            unlink(target)
            throw error
        }
        guard close(output) == 0 else {
            let error = failure("write the file", target)
            unlink(target)
            throw error
        }
    }

    private static func copyBytes(
        from input: Int32, to output: Int32, sizeMax: Int64, _ source: String, _ target: String
    ) throws(MLflowError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var total: Int64 = 0
        while true {
            let count = read(input, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read the file", source) }
            guard count > 0 else { return }
            total += Int64(count)
            guard total <= sizeMax else {
                throw failure("copy the file", source, "it is larger than \(sizeMax) bytes")
            }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes { bytes in
                    write(output, bytes.baseAddress?.advanced(by: sent), count - sent)
                }
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw failure("write the file", target) }
                sent += written
            }
        }
    }

    /// In one step; a file that was there is replaced, a folder only when empty.
    static func move(_ source: String, to target: String) throws(MLflowError) {
        guard rename(source, target) == 0 else {
            let error = failure("move into place", target)
            unlink(source)
            throw error
        }
    }

    static func remove(_ path: String) {
        // Best effort: what is left is in a folder with a name of its own.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Bytes of a file; 0 when it cannot be seen.
    static func size(of path: String) -> Int64 {
        var status = stat()
        return lstat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    static func failure(_ operation: String, _ path: String) -> MLflowError {
        failure(operation, path, String(cString: strerror(errno)))
    }

    static func failure(
        _ operation: String, _ path: String, _ message: String
    ) -> MLflowError {
        MLflowError(.fileFailed, operation: operation, subject: path, message: message)
    }
}
