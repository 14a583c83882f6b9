import Glibc
import Synchronization

/// A corner of our own in the control groups: `manta.PID.NUMBER` below the group we run in.
final class ControlGroupHierarchy: Sendable {
    let version: ControlGroupVersion
    private let directory: String
    private let nextNumber = Mutex(0)
    /// A process may have several: in tests, and when it changes its mind.
    private static let nextHierarchy = Mutex(0)

    private init(version: ControlGroupVersion, directory: String) {
        self.version = version
        self.directory = directory
    }

    /// nil when this process may not make control groups, or memory is not theirs here.
    static func make(totalInBytes: Int64?) -> ControlGroupHierarchy? {
        guard let (version, own) = ownDirectory() else { return nil }
        removeStale(in: own)
        if version == .two && !enableMemory(in: own) { return nil }
        let directory = "\(own)/manta.\(getpid()).\(next(nextHierarchy))"
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { return nil }
        let hierarchy = ControlGroupHierarchy(version: version, directory: directory)
        guard hierarchy.prepare(totalInBytes: totalInBytes) else {
            hierarchy.close()
            return nil
        }
        return hierarchy
    }

    func makeGroup() -> ControlGroup? {
        let number = ControlGroupHierarchy.next(nextNumber)
        return try? ControlGroup(directory: "\(directory)/\(number)", version: version)
    }

    /// Members that were just killed leave a moment later; what stays longer is removed by the next
    /// process that makes groups here.
    func close() {
        for _ in 0..<40 {
            ControlGroupHierarchy.remove(directory)
            if access(directory, F_OK) != 0 { return }
            usleep(5_000)
        }
    }

    private static func next(_ counter: borrowing Mutex<Int>) -> Int {
        counter.withLock { number in
            number += 1
            return number
        }
    }

    private func prepare(totalInBytes: Int64?) -> Bool {
        switch version {
        case .one:
            // Without it a limit would not count what groups below take.
            _ = ControlGroupFile.write("1", to: "\(directory)/memory.use_hierarchy")
        case .two:
            guard ControlGroupFile.write("+memory", to: "\(directory)/cgroup.subtree_control")
            else { return false }
        }
        guard let totalInBytes else { return true }
        return ControlGroupFile.write("\(totalInBytes)", to: "\(directory)/\(version.limitFile)")
    }

    // MARK: Finding the place

    /// The directory of the group this process is in, in the hierarchy that has memory.
    private static func ownDirectory() -> (ControlGroupVersion, String)? {
        let groups = ControlGroupFile.text(of: "/proc/self/cgroup")
        let mounts = ControlGroupFile.text(of: "/proc/self/mountinfo")
        guard let place = ControlGroupPlace(groups: groups, mounts: mounts) else { return nil }
        if place.version == .two {
            let controllers = ControlGroupFile.text(of: "\(place.directory)/cgroup.controllers")
            guard controllers.split(whereSeparator: \.isWhitespace).contains("memory") else {
                return nil
            }
        }
        return (place.version, place.directory)
    }

    /// The newer version lets a group hand memory on only when no process is in it: this one moves
    /// down into a group of its own. With neighbours in the group it stays refused.
    private static func enableMemory(in own: String) -> Bool {
        let file = "\(own)/cgroup.subtree_control"
        if ControlGroupFile.text(of: file).split(whereSeparator: \.isWhitespace).contains("memory")
            || ControlGroupFile.write("+memory", to: file)
        {
            return true
        }
        let lower = "\(own)/manta-self.\(getpid())"
        guard mkdir(lower, 0o755) == 0 || errno == EEXIST else { return false }
        guard ControlGroupFile.write("\(getpid())", to: "\(lower)/cgroup.procs") else {
            rmdir(lower)
            return false
        }
        if ControlGroupFile.write("+memory", to: file) { return true }
        _ = ControlGroupFile.write("\(getpid())", to: "\(own)/cgroup.procs")
        rmdir(lower)
        return false
    }

    // MARK: Leaving nothing behind

    /// Removes what processes that are gone have left.
    private static func removeStale(in own: String) {
        for name in ProcessTree.entries(of: own) {
            let parts = name.split(separator: ".")
            guard parts.count >= 2, parts[0] == "manta" || parts[0] == "manta-self",
                let pid = Int32(parts[1]), kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            remove("\(own)/\(name)")
        }
    }

    /// Only empty groups can be removed, so nothing that runs is touched.
    private static func remove(_ directory: String) {
        for name in ProcessTree.entries(of: directory) where Int(name) != nil {
            rmdir("\(directory)/\(name)")
        }
        rmdir(directory)
    }
}

/// Where the control group of a process lies, read from what `/proc` says of groups and mounts
/// (cgroups(7), proc_pid_mountinfo(5)).
struct ControlGroupPlace: Hashable {
    let version: ControlGroupVersion
    let directory: String

    init?(groups: String, mounts: String) {
        let lines = groups.split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }.filter { $0.count == 3 }
        let older = lines.first { $0[1].split(separator: ",").contains("memory") }
        guard let line = older ?? lines.first(where: { $0[0] == "0" && $0[1].isEmpty }) else {
            return nil
        }
        version = older == nil ? .two : .one
        let type = older == nil ? "cgroup2" : "cgroup"
        for mount in mounts.split(separator: "\n") {
            let words = mount.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), words.count > dash + 3, dash > 4,
                words[dash + 1] == type,
                older == nil || words[dash + 3].split(separator: ",").contains("memory")
            else { continue }
            let root = words[3] == "/" ? "" : words[3]
            guard line[2].hasPrefix(root) else { continue }
            let below = line[2].dropFirst(root.count)
            directory = String(words[4]) + (below == "/" ? "" : String(below))
            return
        }
        return nil
    }
}
