internal import Foundation

/// Files that wait beside a run's records.
enum SpoolFiles {
    static let mlmodelSuffix = ".MLmodel"
    /// Of a model's directory.
    static let fileCountMax = 1000
    static let depthMax = 8
    private static let mlmodelBytesMax: Int64 = 16 << 20

    /// Copies a file: its owner may change it before it is sent.
    static func keep(copyOf path: String, in folder: String) throws(MLflowError) -> String {
        let name = UUID().uuidString
        try LocalFiles.copy(path, to: SpoolFile.files(in: folder) + "/" + name, sizeMax: .max)
        return name
    }

    static func keep(bytes: [UInt8], in folder: String) throws(MLflowError) -> String {
        let name = UUID().uuidString
        let path = SpoolFile.files(in: folder) + "/" + name
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        } catch {
            throw LocalFiles.failure("write the file", path, "\(error)")
        }
        return name
    }

    /// Takes a model's directory in: its files get a second name where the file system allows it,
    /// for nobody changes them, and are copied elsewhere.
    static func keep(directory: String, in folder: String) throws(MLflowError) -> String {
        let name = UUID().uuidString
        let home = SpoolFile.files(in: folder) + "/" + name
        let entries = try all(below: directory)
        try LocalFiles.makeFolder(home)
        for entry in entries {
            if entry.isFolder {
                try LocalFiles.makeFolder(entry.path.below(home))
            } else if link(entry.path.below(directory), entry.path.below(home)) != 0 {
                try LocalFiles.copy(
                    entry.path.below(directory), to: entry.path.below(home), sizeMax: .max)
            }
        }
        if entries.contains(where: { $0.path.text == "MLmodel" }) {
            try LocalFiles.copy(
                home + "/MLmodel", to: home + mlmodelSuffix, sizeMax: mlmodelBytesMax)
        }
        return name
    }

    /// The files below a folder, wherever in it.
    static func files(below root: String) throws(MLflowError) -> [ArtifactPath] {
        try all(below: root).filter { !$0.isFolder }.map(\.path)
    }

    /// Folders before what lies in them.
    private static func all(below root: String) throws(MLflowError) -> [ArtifactEntry] {
        var found: [ArtifactEntry] = []
        var folders = [ArtifactPath.root]
        while let folder = folders.popLast() {
            for entry in try LocalFiles.entries(of: folder, below: root) {
                found.append(entry)
                if entry.isFolder { folders.append(entry.path) }
                guard found.count <= fileCountMax, entry.path.segments.count <= depthMax else {
                    throw LocalFiles.failure(
                        "keep the folder", root,
                        "it has more than \(fileCountMax) files or more than \(depthMax) levels")
                }
            }
        }
        return found
    }

    /// Writes into a kept model's MLmodel what the server told.
    ///
    /// - Parameter written: what stands there in its place.
    static func finishModel(
        in directory: String, written: LoggedModelInfo, actual: LoggedModelInfo
    ) throws(MLflowError) {
        let bytes = try LocalFiles.contents(of: directory + mlmodelSuffix, sizeMax: mlmodelBytesMax)
        let text = finished(
            String(decoding: bytes, as: UTF8.self), written: written, actual: actual)
        do {
            try Data(text.utf8).write(
                to: URL(fileURLWithPath: directory + "/MLmodel"), options: .atomic)
        } catch {
            throw LocalFiles.failure("write the file", directory + "/MLmodel", "\(error)")
        }
    }

    static func finished(
        _ text: String, written: LoggedModelInfo, actual: LoggedModelInfo
    ) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let placeholder = written.modelID {
            if actual.modelID == nil {
                // A server without logged models has no such id; any other names the file as well.
                lines.removeAll { $0.hasPrefix("model_id:") && $0.contains(placeholder) }
            }
            let id = actual.modelID ?? String(placeholder.dropFirst(2))
            lines = lines.map { $0.replacing(placeholder, with: id) }
        }
        return lines.map {
            $0.replacing(written.artifactPath, with: actual.artifactPath)
                .replacing(written.runID, with: actual.runID)
        }.joined(separator: "\n")
    }

    /// What stands for a logged model that the server could not make yet.
    static func placeholders(runID: String?, experimentID: String?) -> LoggedModelInfo {
        LoggedModelInfo(
            modelID: "m-" + hexID(), runID: runID ?? hexID(),
            artifactPath: "mlflow-artifacts:/spooled/" + hexID(),
            experimentID: experimentID ?? "")
    }

    static func hexID() -> String {
        UUID().uuidString.filter { $0 != "-" }.lowercased()
    }
}

extension LocalFiles {
    /// - Throws: when it is larger than `sizeMax`.
    static func contents(of path: String, sizeMax: Int64) throws(MLflowError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("read the file", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            Int64(status.st_size) <= sizeMax
        else { throw failure("read the file", path, "it is no file of at most \(sizeMax) bytes") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(
                    descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return Array(bytes[..<filled]) }
            filled += count
        }
        return bytes
    }

    /// Bytes of the files below a folder, as far as they can be seen.
    static func size(below folder: String) -> Int64 {
        guard let names = FileManager.default.enumerator(atPath: folder) else { return 0 }
        var size: Int64 = 0
        while let name = names.nextObject() as? String {
            var status = stat()
            guard lstat(folder + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG
            else { continue }
            size += Int64(status.st_size)
        }
        return size
    }
}
