import Foundation

/// The machine's processes, read from /proc.
enum ProcessTable {
    /// Processes whose arguments (joined by NUL) contain `text`; zombies have none.
    static func count(matching text: String) -> Int { pids(matching: text).count }

    static func pids(matching text: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
                return false
            }
            return String(decoding: data, as: UTF8.self).contains(text)
        }
    }

    /// Processes that carry `NAME=value` in the environment they were started with.
    static func pids(withVariable text: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
                return false
            }
            return data.split(separator: 0).contains { String(decoding: $0, as: UTF8.self) == text }
        }
    }
}
