package import Foundation

extension ZipArchive {
    /// Makes `directory` and fills it: plain files and folders only, all of them inside.
    ///
    /// - Throws: `ZipError` before anything is written, or an error of the file system.
    package static func unpack(_ bytes: Data, to directory: String) throws {
        let entries = try readDirectory(bytes)
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for entry in entries {
            let path = "\(directory)/\(entry.name)"
            if entry.isFolder {
                try files.createDirectory(atPath: path, withIntermediateDirectories: true)
                continue
            }
            try files.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try entry.content().write(to: URL(fileURLWithPath: path))
            try files.setAttributes(
                [.posixPermissions: entry.isExecutable ? 0o700 : 0o600], ofItemAtPath: path)
        }
    }

    /// As `unpack`, for a file, which is mapped and never held in memory as a whole.
    package static func unpack(fileAt path: String, to directory: String) throws {
        try unpack(try map(path), to: directory)
    }

    /// - Throws: `ZipError` when `unpack` would refuse the file.
    package static func check(fileAt path: String) throws {
        _ = try readDirectory(try map(path))
    }

    private static func map(_ path: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    }

    private struct Entry {
        let name: String
        /// As it stands in the file.
        let stored: Data
        let isDeflated: Bool
        /// Of the content, in bytes.
        let size: Int
        let checksum: UInt32
        let isExecutable: Bool

        var isFolder: Bool { name.hasSuffix("/") }

        /// - Throws: `ZipError` when the bytes are not those that were packed.
        func content() throws(ZipError) -> Data {
            let content = isDeflated ? Data(try Inflater.inflate(stored, size: size)) : stored
            guard CRC32.of(content) == checksum else { throw .malformed("\(name) is damaged") }
            return content
        }
    }

    /// All entries, each of them checked.
    private static func readDirectory(_ bytes: Data) throws(ZipError) -> [Entry] {
        let reader = ByteReader(bytes)
        guard bytes.count >= 22, bytes.count <= sizeMax + (64 << 20) else {
            throw .malformed("\(bytes.count) bytes are no zip file")
        }
        // A comment of at most 65,535 bytes may follow the end record of 22.
        let latest = bytes.count - 22
        guard
            let end = reader.lastOffset(
                of: endOfDirectory, from: latest, downTo: max(0, latest - 65_535))
        else { throw .malformed("no end of central directory") }
        let count = Int(try reader.at16(end + 10))
        var position = Int(try reader.at32(end + 16))
        guard count <= entriesMax else {
            throw .malformed("\(count) entries; at most \(entriesMax)")
        }
        var entries: [Entry] = []
        var total = 0
        for _ in 0..<count {
            let (entry, next) = try readEntry(reader, at: position)
            total += entry.size
            // Overlapping or well-chosen entries can hold far more than the file does.
            guard total <= sizeMax else {
                throw .malformed("more than \(sizeMax >> 20) MiB unpacked")
            }
            entries.append(entry)
            position = next
        }
        guard total <= expansionFloor || total / bytes.count < expansionMax else {
            throw .malformed("it grows more than \(expansionMax) times when it is unpacked")
        }
        try checkPlaces(entries)
        // Last, because it alone reads everything.
        for entry in entries { _ = try entry.content() }
        return entries
    }

    private static func readEntry(
        _ reader: ByteReader, at position: Int
    ) throws(ZipError) -> (Entry, next: Int) {
        guard try reader.at32(position) == centralHeader else {
            throw .malformed("no entry at offset \(position)")
        }
        let flags = try reader.at16(position + 8)
        let method = try reader.at16(position + 10)
        let checksum = try reader.at32(position + 16)
        let size = Int(try reader.at32(position + 20))
        let nameCount = Int(try reader.at16(position + 28))
        let extra = Int(try reader.at16(position + 30)) + Int(try reader.at16(position + 32))
        let mode = try reader.at32(position + 38) >> 16
        let offset = Int(try reader.at32(position + 42))
        let name = try checkedName(try reader.slice(position + 46, nameCount))
        let unpacked = Int(try reader.at32(position + 24))
        guard method == 8 || method == 0 && size == unpacked, flags & 1 == 0 else {
            throw .malformed("\(name) is encrypted or packed by another method than deflate")
        }
        let kind = mode & 0o170_000
        guard kind == 0 || kind == 0o100_000 || kind == 0o040_000 else {
            throw .malformed("\(name) is neither a file nor a folder")
        }
        guard try reader.at32(offset) == localHeader else {
            throw .malformed("\(name) has no local header")
        }
        let start =
            offset + 30 + Int(try reader.at16(offset + 26)) + Int(try reader.at16(offset + 28))
        let entry = Entry(
            name: name, stored: try reader.slice(start, size), isDeflated: method == 8,
            size: unpacked, checksum: checksum, isExecutable: mode & 0o100 != 0)
        return (entry, position + 46 + nameCount + extra)
    }

    private static func checkedName(_ bytes: Data) throws(ZipError) -> String {
        guard let name = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("an entry's name is not UTF-8")
        }
        guard isSafe(name) else {
            throw .malformed("the name '\(name.prefix(200))' leaves the folder or is unsafe")
        }
        return name
    }

    /// Refuses two entries in one place, and a file where another entry needs a folder.
    private static func checkPlaces(_ entries: [Entry]) throws(ZipError) {
        var files: Set<String> = []
        for entry in entries where !entry.isFolder {
            guard files.insert(entry.name).inserted else {
                throw .malformed("\(entry.name) is there twice")
            }
        }
        for entry in entries {
            var name = entry.name[...]
            while let slash = name.lastIndex(of: "/") {
                name = name[..<slash]
                guard !files.contains(String(name)) else {
                    throw .malformed("\(name) is a file and a folder")
                }
            }
        }
    }
}
