internal import CLinuxProcess
import Glibc

/// What `/proc` says of a process and those it started.
enum ProcessTree {
    /// More are not looked at: a program that forks so often is ended by its limit on processes.
    static let membersMax = 4_096

    /// All descendants of `ancestor`, itself left out. Those that left their parents hang below the
    /// nearest subreaper, which a guard is.
    static func descendants(of ancestor: Int32) -> [Int32] {
        var found: [Int32] = []
        var next = children(of: ancestor)
        while let pid = next.popLast(), found.count < membersMax {
            found.append(pid)
            next += children(of: pid)
        }
        return found
    }

    /// Children of the process's first thread and of all others.
    static func children(of pid: Int32) -> [Int32] {
        entries(of: "/proc/\(pid)/task").flatMap { thread in
            read("/proc/\(pid)/task/\(thread)/children").split(separator: UInt8(ascii: " "))
                .compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// Anonymous and shared memory that is resident, in bytes (`RssAnon` and `RssShmem` of
    /// proc_pid_status(5)); mapped files are the page cache's. 0 when the process is gone.
    static func memoryInBytes(of pid: Int32) -> Int64 {
        var sum: Int64 = 0
        for line in read("/proc/\(pid)/status").split(separator: UInt8(ascii: "\n")) {
            guard line.starts(with: "RssAnon:".utf8) || line.starts(with: "RssShmem:".utf8) else {
                continue
            }
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard words.count > 1 else { continue }
            sum += (Int64(String(decoding: words[1], as: UTF8.self)) ?? 0) * 1_024
        }
        return sum
    }

    /// Lowers or raises the soft limit on a process's private memory; its hard limit stays.
    static func setDataLimit(ofProcess pid: Int32, toBytes limit: UInt64) {
        _ = manta_set_soft_data_limit(pid, limit)
    }

    /// Names in a folder, without those that begin with a point.
    static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.first != "." { names.append(name) }
        }
        return names
    }

    /// A file's first 64 KiB; nothing when it cannot be read.
    static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var count = 0
        while count < buffer.count {
            let got = buffer.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { break }
            count += got
        }
        return Array(buffer[..<count])
    }
}
