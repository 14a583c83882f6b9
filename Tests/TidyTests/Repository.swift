import Foundation

/// The checkout these tests were compiled from, as text files with paths relative to its root.
enum Repository {
    /// Three folders above this file: Tests/TidyTests/Repository.swift.
    static let root: URL = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Regular files under `folder`, sorted. Hidden folders and build products are left out.
    static func files(under folder: String, withExtension wanted: String? = nil) -> [String] {
        let start = root.appending(path: folder).standardizedFileURL
        guard
            let walk = FileManager.default.enumerator(
                at: start, includingPropertiesForKeys: [.isRegularFileKey],
                options: [.skipsHiddenFiles])
        else { return [] }
        let prefix = root.standardizedFileURL.path + "/"
        var found: [String] = []
        for case let file as URL in walk {
            let path = String(file.standardizedFileURL.path.dropFirst(prefix.count))
            if builtFolders.contains(where: { path.hasPrefix($0) }) { continue }
            let isRegular = try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile
            guard isRegular == true else { continue }
            if let wanted, file.pathExtension != wanted { continue }
            found.append(path)
        }
        return found.sorted()
    }

    /// What `script/build` leaves in the root; git ignores it, and so does this.
    private static let builtFolders = ["bin/", "lib/"]

    /// The names in a folder, links among them.
    static func entries(of folder: String) -> [String] {
        let path = root.appending(path: folder).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    static func isLink(_ path: String) -> Bool {
        let file = root.appending(path: path).path
        return (try? FileManager.default.destinationOfSymbolicLink(atPath: file)) != nil
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    static func isExecutable(_ path: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: root.appending(path: path).path)
    }

    /// Every document a reader of the repository meets.
    static var documents: [String] { files(under: ".", withExtension: "md") }
}
