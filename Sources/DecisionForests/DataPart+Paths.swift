#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension DataPart {
    /// Parts that one data set may have.
    static let countMax = 65_536

    /// The files that paths, folders and patterns name, in order.
    static func parts(of paths: [String]) throws(DatasetError) -> [DataPart] {
        var files: [String] = []
        for path in paths {
            if isFolder(path) {
                files += try filesOf(folder: path)
            } else if !exists(path), path.contains(where: { "*?[".contains($0) }) {
                files += try matches(of: path)
            } else {
                files.append(path)
            }
            guard files.count <= countMax else { throw .shape("more than \(countMax) files") }
        }
        guard !files.isEmpty else { throw .shape("there is no file to read") }
        return files.map { .file($0) }
    }

    /// What the part is, by its name, else by its first bytes.
    func format() throws(DatasetError) -> ReadOptions.Format {
        switch fileExtension {
        case "csv", "tsv", "tab": return .csv
        case "libsvm", "svmlight", "svm": return .libsvm
        case "npy": return .npy
        default: break
        }
        // A pipe's first bytes would be gone.
        guard isRepeatable else { return .csv }
        let first = try open(limits: ReadOptions.Limits()).peek(NPYHeader.mark.count)
        return first == NPYHeader.mark ? .npy : .csv
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// A folder's files, without those that programs put beside data: ".x" and "_SUCCESS".
    private static func filesOf(folder: String) throws(DatasetError) -> [String] {
        guard let handle = opendir(folder) else {
            throw .unreadable(file: folder, reason: String(cString: strerror(errno)))
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), !name.hasPrefix("_") { names.append(name) }
            guard names.count <= countMax else { break }
        }
        let files = sorted(names).map { folder + "/" + $0 }.filter { !isFolder($0) }
        guard !files.isEmpty else { throw .unreadable(file: folder, reason: "it has no files") }
        return files
    }

    private static func matches(of pattern: String) throws(DatasetError) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        let outcome = glob(pattern, GLOB_NOSORT, nil, &found)
        guard outcome == 0, let paths = found.gl_pathv else {
            throw .unreadable(file: pattern, reason: "no file has such a name")
        }
        let count = min(Int(found.gl_pathc), countMax + 1)
        return sorted((0..<count).compactMap { paths[$0].map { String(cString: $0) } })
    }

    /// In the order of the names' bytes, which no language setting changes.
    private static func sorted(_ names: [String]) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
