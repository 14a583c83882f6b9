import Glibc

/// One small file of a control group, held open: it is read and written at every piece of work, and
/// to find it by its path takes the kernel ten times as long. In version 2 a peak is also set back
/// only for who reads it through the same descriptor.
final class OpenControlGroupFile: Sendable {
    private let descriptor: Int32

    /// A file that cannot be opened reads as empty and takes nothing.
    init(_ path: String) {
        let writable = open(path, O_RDWR | O_CLOEXEC)
        descriptor = writable >= 0 ? writable : open(path, O_RDONLY | O_CLOEXEC)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Answers whether the kernel took it.
    func write(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    }

    /// At most 4 KiB: what such a file holds is a few lines.
    var text: String {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        }
    }
}

/// Small files of the control group file system.
enum ControlGroupFile {
    /// Answers whether the kernel took it.
    static func write(_ text: String, to path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }

    /// The number that is all of a file.
    static func number(of text: String) -> Int64? {
        Int64(text.filter { !$0.isWhitespace })
    }

    /// The number behind a name, a line each: `oom_kill 3`.
    static func number(named name: String, of text: String) -> Int64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return Int64(words[1]) }
        }
        return nil
    }

    static func text(of path: String) -> String {
        String(decoding: ProcessTree.read(path), as: UTF8.self)
    }
}
