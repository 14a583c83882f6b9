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

extension ProcessTable {
    /// Children of a process that have ended and that it has not waited for.
    static func zombies(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
                // After the program's name, which may hold anything: state, parent, …
                let rest = String(decoding: data, as: UTF8.self).split(separator: ")").last
            else { return false }
            let fields = rest.split(separator: " ")
            return fields.count > 1 && fields[0] == "Z" && Int32(fields[1]) == parent
        }
    }
}
