import Foundation

/// Working directories as zip files with stored entries, the form Ray's own client sends too.
///
/// Unpacking trusts nothing: names are confined to the folder, and only plain files and folders within
/// the limits are made.
package enum ZipArchive {
    package static let entriesMax = 20_000
    package static let sizeMax = 512 << 20
    private static let localHeader: UInt32 = 0x0403_4B50
    private static let centralHeader: UInt32 = 0x0201_4B50
    private static let endOfDirectory: UInt32 = 0x0605_4B50

    // MARK: Packing

    /// A folder's files in name order, without what `isIgnored` names (paths relative to the folder).
    ///
    /// The same files give the same bytes: times are left out.
    /// - Throws: `ZipError.tooLarge` naming the largest files, or an error of the file system.
    package static func pack(
        _ directory: String, isIgnored: (String) -> Bool = { _ in false }
    ) throws -> [UInt8] {
        let files = try listFiles(directory, isIgnored)
        var archive: [UInt8] = []
        var central: [UInt8] = []
        for file in files {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file.path)"))
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

    private struct File {
        let path: String
        let size: Int
        let isExecutable: Bool
    }

    private static func listFiles(
        _ directory: String, _ isIgnored: (String) -> Bool
    ) throws -> [File] {
        var files: [File] = []
        func visit(_ folder: String) throws {
            let absolute = folder.isEmpty ? directory : "\(directory)/\(folder)"
            for name in try FileManager.default.contentsOfDirectory(atPath: absolute).sorted() {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                if isIgnored(path) { continue }
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: "\(directory)/\(path)")
                let type = attributes[.type] as? FileAttributeType
                if type == .typeDirectory {
                    try visit(path)
                } else if type == .typeRegular {
                    let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
                    let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
                    files.append(File(path: path, size: size, isExecutable: mode & 0o100 != 0))
                }
            }
        }
        try visit("")
        let total = files.reduce(0) { $0 + $1.size }
        guard total <= sizeMax, files.count <= entriesMax else {
            let largest = files.sorted { $0.size > $1.size }.prefix(5).map {
                "\($0.path) (\($0.size >> 20) MiB)"
            }
            throw ZipError.tooLarge(files: files.count, bytes: total, largest: Array(largest))
        }
        return files
    }

    // MARK: Unpacking

    /// Makes `directory` and fills it.
    ///
    /// - Throws: `ZipError` before anything outside `directory` could be touched.
    package static func unpack(_ bytes: [UInt8], to directory: String) throws {
        let entries = try readDirectory(bytes)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for entry in entries {
            let path = "\(directory)/\(entry.name)"
            if entry.name.hasSuffix("/") {
                try FileManager.default.createDirectory(
                    atPath: path, withIntermediateDirectories: true)
                continue
            }
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            let content = Data(bytes[entry.content])
            guard CRC32.of(content) == entry.checksum else {
                throw ZipError.malformed("\(entry.name) is damaged")
            }
            try content.write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(
                [.posixPermissions: entry.isExecutable ? 0o700 : 0o600], ofItemAtPath: path)
        }
    }

    private struct Entry {
        let name: String
        let content: Range<Int>
        let checksum: UInt32
        let isExecutable: Bool
    }

    private static func readDirectory(_ bytes: [UInt8]) throws(ZipError) -> [Entry] {
        let reader = ByteReader(bytes)
        guard bytes.count >= 22, bytes.count <= sizeMax + (64 << 20) else {
            throw .malformed("\(bytes.count) bytes are no zip file")
        }
        var end = bytes.count - 22
        let earliest = max(0, end - 65_535)
        while end >= earliest, reader.u32(end) != endOfDirectory { end -= 1 }
        guard end >= earliest else { throw .malformed("no end of central directory") }
        let count = Int(try reader.at16(end + 10))
        var position = Int(try reader.at32(end + 16))
        guard count <= entriesMax else { throw .malformed("\(count) entries; at most \(entriesMax)") }
        var entries: [Entry] = []
        var total = 0
        for _ in 0..<count {
            let (entry, next) = try readEntry(reader, at: position)
            total += entry.content.count
            guard total <= sizeMax else { throw .malformed("more than \(sizeMax >> 20) MiB unpacked") }
            entries.append(entry)
            position = next
        }
        return entries
    }

    private static func readEntry(
        _ reader: ByteReader, at position: Int
    ) throws(ZipError) -> (Entry, next: Int) {
        guard try reader.at32(position) == centralHeader else {
            throw .malformed("no entry at offset \(position)")
        }
        let method = try reader.at16(position + 10)
        let size = Int(try reader.at32(position + 20))
        let nameCount = Int(try reader.at16(position + 28))
        let extra = Int(try reader.at16(position + 30)) + Int(try reader.at16(position + 32))
        let mode = try reader.at32(position + 38) >> 16
        let offset = Int(try reader.at32(position + 42))
        let name = try checkedName(try reader.slice(position + 46, nameCount))
        guard method == 0, size == Int(try reader.at32(position + 24)) else {
            throw .malformed("\(name) is compressed; send stored entries (zip -0)")
        }
        guard mode & 0o170_000 == 0 || mode & 0o170_000 == 0o100_000
            || mode & 0o170_000 == 0o040_000
        else { throw .malformed("\(name) is neither a file nor a folder") }
        guard try reader.at32(offset) == localHeader else {
            throw .malformed("\(name) has no local header")
        }
        let start = offset + 30 + Int(try reader.at16(offset + 26)) + Int(try reader.at16(offset + 28))
        _ = try reader.slice(start, size)
        let entry = Entry(
            name: name, content: start..<start + size, checksum: try reader.at32(position + 16),
            isExecutable: mode & 0o100 != 0)
        return (entry, position + 46 + nameCount + extra)
    }

    /// Refuses what could leave the folder or surprise a shell.
    private static func checkedName(_ bytes: ArraySlice<UInt8>) throws(ZipError) -> String {
        guard let name = String(validating: bytes, as: UTF8.self), !name.isEmpty,
            name.utf8.count <= 1_024
        else { throw .malformed("an entry's name is empty, too long or not UTF-8") }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isSafe =
            !name.hasPrefix("/") && !name.contains("\\") && !name.utf8.contains { $0 < 0x20 }
            && parts.dropLast().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && parts.last != ".." && parts.last != "." && parts.count <= 64
        guard isSafe else { throw .malformed("the name '\(name)' leaves the folder or is unsafe") }
        return name
    }
}

package enum ZipError: Error, Sendable, CustomStringConvertible {
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
