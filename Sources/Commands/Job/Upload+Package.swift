import Cluster
import Foundation

/// Jobs that are the folder of a Swift package.
extension Upload {
    /// Sends the folder without what it ignores, and without what SwiftPM made in it.
    ///
    /// - Throws: `CommandFailure` for a folder without a package, `ZipError` for one too large.
    func uploadPackage(_ folder: String) async throws -> SubmitRequest {
        guard FileManager.default.fileExists(atPath: folder + "/Package.swift") else {
            throw CommandFailure(
                "\(folder) is a folder without a Package.swift. To send it along with a command: "
                    + "job submit --working-dir \(ShellWords.join([folder])) -- COMMAND",
                code: ExitStatus.notFound)
        }
        let ignore = IgnoreFile(folder: folder)
        let archive = try ZipArchive.pack(folder) { path, isFolder in
            path == ".build" || path == ".swiftpm" || ignore.matches(path, isFolder: isFolder)
        }
        let title = Upload.packageName(folder)
        return try await upload(
            archive, title: title, fileName: title + JobCompiler.packageSuffix)
    }

    /// The folder's own name, also of "." and "..", in letters that a file's name may have here.
    static func packageName(_ folder: String) -> String {
        let name = URL(fileURLWithPath: folder).resolvingSymlinksInPath().lastPathComponent
        let known = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        let bytes = name.utf8.prefix(100).map { known($0) ? $0 : UInt8(ascii: "_") }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.isEmpty || text.hasPrefix("-") ? "package" + text : text
    }
}
