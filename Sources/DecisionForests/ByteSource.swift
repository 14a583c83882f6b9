#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Bytes that come one piece after the other.
///
/// Files are read, not mapped: a mapped file that somebody shortens would end the process.
protocol ByteSource: AnyObject {
    /// Up to `count` bytes to `target`; how many there were. 0 at the end, and only there.
    func read(
        into target: UnsafeMutablePointer<UInt8>, count: Int
    ) throws(DatasetError) -> Int
}

extension ByteSource {
    /// Like `read`, but fewer than `count` only at the end.
    func readFully(
        into target: UnsafeMutablePointer<UInt8>, count: Int
    ) throws(DatasetError) -> Int {
        var held = 0
        while held < count {
            let got = try read(into: target + held, count: count - held)
            if got == 0 { break }
            held += got
        }
        return held
    }
}

/// One part of a data set, which may be opened more than once.
enum DataPart: Sendable {
    case file(String)
    /// Bytes under the name that errors use.
    case memory(name: String, bytes: [UInt8])

    /// What errors call it.
    var name: String {
        switch self {
        case .file(let path): path
        case .memory(let name, _): name
        }
    }

    /// Its bytes as they are stored.
    func openStored() throws(DatasetError) -> any ByteSource {
        switch self {
        case .file(let path): try FileBytes(path)
        case .memory(_, let bytes): MemoryBytes(bytes)
        }
    }

    /// Bytes as stored; nil for a pipe, whose bytes can be read only once.
    var storedSize: Int? {
        switch self {
        case .file(let path):
            var facts = stat()
            let isFile = stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
            return isFile ? Int(facts.st_size) : nil
        case .memory(_, let bytes): return bytes.count
        }
    }

    /// Whether its bytes can be read a second time.
    var isRepeatable: Bool { storedSize != nil }

    /// What follows the last point of its name, in small letters, without ".gz".
    var fileExtension: String {
        var words = name.lowercased().split(separator: ".")
        if words.last == "gz" { words.removeLast() }
        return words.last.map(String.init) ?? ""
    }
}

/// A file's bytes.
final class FileBytes: ByteSource {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws(DatasetError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
    }

    deinit { close(descriptor) }

    func read(
        into target: UnsafeMutablePointer<UInt8>, count: Int
    ) throws(DatasetError) -> Int {
        while true {
            let got = systemRead(descriptor, target, count)
            if got >= 0 { return got }
            guard errno == EINTR else { throw Self.unreadable(path) }
        }
    }

    private static func unreadable(_ path: String) -> DatasetError {
        .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
}

/// `read(2)`, which the method of that name hides.
private func systemRead(_ file: Int32, _ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(file, target, count)
}

/// Bytes in memory.
final class MemoryBytes: ByteSource {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func read(into target: UnsafeMutablePointer<UInt8>, count: Int) -> Int {
        let got = min(count, bytes.count - offset)
        bytes.withUnsafeBufferPointer { source in
            if got > 0, let base = source.baseAddress {
                target.update(from: base + offset, count: got)
            }
        }
        offset += got
        return got
    }
}

/// First some bytes that were read to look at them, then the rest of their source.
final class PeekedBytes: ByteSource {
    private let first: MemoryBytes
    private let rest: any ByteSource

    init(_ first: [UInt8], then rest: any ByteSource) {
        self.first = MemoryBytes(first)
        self.rest = rest
    }

    func read(
        into target: UnsafeMutablePointer<UInt8>, count: Int
    ) throws(DatasetError) -> Int {
        let got = first.read(into: target, count: count)
        return got > 0 ? got : try rest.read(into: target, count: count)
    }
}
