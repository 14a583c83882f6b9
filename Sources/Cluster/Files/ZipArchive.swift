import Foundation

/// Working directories as zip files.
///
/// This file packs, with stored entries; `ZipArchive+Unpack.swift` reads what others packed, stored
/// or deflated, and trusts nothing.
package enum ZipArchive {
    package static let entriesMax = 20_000
    package static let sizeMax = 512 << 20
    /// How many times larger than the file its content may be, once it is larger than
    /// `expansionFloor` bytes: text packs to a tenth, a bomb to a thousandth.
    static let expansionMax = 200
    static let expansionFloor = 16 << 20
    /// Bytes of a name, and folders in it.
    static let nameMax = 1_024
    static let depthMax = 64
    /// Files that are named when a folder is too large to be sent.
    static let largestMax = 10
    static let localHeader: UInt32 = 0x0403_4B50
    static let centralHeader: UInt32 = 0x0201_4B50
    static let endOfDirectory: UInt32 = 0x0605_4B50

    /// A folder's files in name order, without what `isIgnored` names.
    ///
    /// The same files give the same bytes: times are left out. A link to a file is sent as that
    /// file; links to folders, sockets and the like are left out.
    /// - Parameters:
    ///   - entriesMax: at most `ZipArchive.entriesMax`, the most that is unpacked.
    ///   - isIgnored: is asked for each file and folder, its path relative to `directory`.
    /// - Throws: `ZipError.tooLarge` naming the largest files, or an error of the file system.
    package static func pack(
        _ directory: String, entriesMax: Int = ZipArchive.entriesMax,
        isIgnored: (_ path: String, _ isFolder: Bool) -> Bool = { _, _ in false }
    ) throws -> [UInt8] {
        let files = try listFiles(directory, isIgnored)
        guard files.count <= entriesMax else { throw tooLarge(files) }
        var archive: [UInt8] = []
        var central: [UInt8] = []
        for file in files {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file.path)"))
            // Files may grow after they were listed.
            guard archive.count + data.count <= sizeMax + (64 << 20) else {
                throw tooLarge(files)
            }
            append(file, data, to: &archive, &central)
        }
        let directoryOffset = archive.count
        archive += central
        archive.append32(endOfDirectory)
        archive.append16(0)
        archive.append16(0)
        archive.append16(UInt16(files.count))
        archive.append16(UInt16(files.count))
        archive.append32(UInt32(central.count))
        archive.append32(UInt32(directoryOffset))
        archive.append16(0)
        return archive
    }

    private static func append(
        _ file: File, _ data: Data, to archive: inout [UInt8], _ central: inout [UInt8]
    ) {
        let offset = archive.count
        let checksum = CRC32.of(data)
        let name = Array(file.path.utf8)
        archive.append32(localHeader)
        archive.append16(20)
        appendCommon(to: &archive, checksum: checksum, size: data.count, nameCount: name.count)
        archive += name
        archive += data
        central.append32(centralHeader)
        central.append16(0x0314)  // made by Unix, version 2.0
        central.append16(20)
        appendCommon(to: &central, checksum: checksum, size: data.count, nameCount: name.count)
        central.append16(0)  // comment
        central.append16(0)  // disk
        central.append16(0)  // internal attributes
        central.append32((0o100_000 | (file.isExecutable ? 0o755 : 0o644)) << 16)
        central.append32(UInt32(offset))
        central += name
    }

    private static func appendCommon(
        to bytes: inout [UInt8], checksum: UInt32, size: Int, nameCount: Int
    ) {
        bytes.append16(0x0800)  // names are UTF-8
        bytes.append16(0)  // stored
        bytes.append16(0)  // time
        bytes.append16(0x21)  // 1980-01-01, the earliest date the format knows
        bytes.append32(checksum)
        bytes.append32(UInt32(size))
        bytes.append32(UInt32(size))
        bytes.append16(UInt16(nameCount))
        bytes.append16(0)  // extra field
    }

    // MARK: Files

    private struct File {
        let path: String
        let size: Int
        let isExecutable: Bool
    }

    private static func listFiles(
        _ directory: String, _ isIgnored: (String, Bool) -> Bool
    ) throws -> [File] {
        var files: [File] = []
        func visit(_ folder: String) throws {
            let absolute = folder.isEmpty ? directory : "\(directory)/\(folder)"
            for name in try FileManager.default.contentsOfDirectory(atPath: absolute).sorted() {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                let isFolder = FileStatus("\(directory)/\(path)")?.kind == .folder
                if isIgnored(path, isFolder) { continue }
                if isFolder {
                    try visit(path)
                } else if let status = FileStatus("\(directory)/\(path)", followsLinks: true),
                    status.kind == .file
                {
                    try check(path)
                    files.append(
                        File(
                            path: path, size: status.sizeInBytes,
                            isExecutable: status.isExecutable))
                }
            }
        }
        try visit("")
        guard files.reduce(0, { $0 + $1.size }) <= sizeMax else {
            throw tooLarge(files)
        }
        return files
    }

    /// What the other side would refuse is better said here.
    private static func check(_ path: String) throws(ZipError) {
        guard isSafe(path) else {
            throw .malformed(
                "the name '\(path)' cannot be sent: it has a backslash or a control character, "
                    + "more than \(nameMax) bytes, or more than \(depthMax) folders")
        }
    }

    /// Whether a name stays in its folder and surprises no shell.
    static func isSafe(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !name.isEmpty && name.utf8.count <= nameMax && parts.count <= depthMax
            && !name.hasPrefix("/")
            && !name.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") }
            && parts.dropLast().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && parts.last != ".." && parts.last != "."
    }

    /// A size as people read it: in MiB, or smaller units where that would be 0.
    private static func words(for size: Int) -> String {
        if size >= 1 << 20 { return "\(size >> 20) MiB" }
        return size >= 1 << 10 ? "\(size >> 10) KiB" : "\(size) bytes"
    }

    private static func tooLarge(_ files: [File]) -> ZipError {
        let largest = files.sorted { $0.size > $1.size }.prefix(largestMax).map {
            "\($0.path) (\(words(for: $0.size)))"
        }
        return .tooLarge(
            files: files.count, bytes: files.reduce(0) { $0 + $1.size }, largest: Array(largest))
    }
}

package enum ZipError: Error, Sendable, Hashable, CustomStringConvertible {
    case malformed(String)
    case tooLarge(files: Int, bytes: Int, largest: [String])

    package var description: String {
        switch self {
        case .malformed(let reason): "the zip file is refused: \(reason)"
        case .tooLarge(let files, let bytes, let largest):
            "the working directory has \(files) files and \(bytes >> 20) MiB; at most "
                + "\(ZipArchive.entriesMax) files and \(ZipArchive.sizeMax >> 20) MiB are sent. "
                + "Leave out with .mantaignore, largest first: \(largest.joined(separator: ", "))"
        }
    }
}
