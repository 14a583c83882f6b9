import Testing

@testable import Processes

@Suite struct ControlGroupPlaceTests {
    static let older = """
        30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
        31 30 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu
        35 30 0:31 /docker/7f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        """
    static let newer = """
        24 1 0:22 / / rw - ext4 /dev/vda rw
        29 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
        """

    @Test("The older version's directory leaves out what the mount begins with")
    func olderVersion() {
        let place = ControlGroupPlace(
            groups: "5:cpu:/docker/7f\n4:memory:/docker/7f/inner\n0::/docker/7f", mounts: Self.older
        )
        #expect(place?.version == .one)
        #expect(place?.directory == "/sys/fs/cgroup/memory/inner")
        let root = ControlGroupPlace(groups: "4:memory:/docker/7f\n", mounts: Self.older)
        #expect(root?.directory == "/sys/fs/cgroup/memory")
    }

    @Test("The newer version's is found where memory is in no older hierarchy")
    func newerVersion() {
        let place = ControlGroupPlace(
            groups: "0::/user.slice/user-1000.slice/a:b.scope\n", mounts: Self.newer)
        #expect(place?.version == .two)
        #expect(place?.directory == "/sys/fs/cgroup/user.slice/user-1000.slice/a:b.scope")
        #expect(
            ControlGroupPlace(groups: "0::/\n", mounts: Self.newer)?.directory == "/sys/fs/cgroup")
    }

    @Test(
        "What nobody understands is no place",
        arguments: ["", "0::", "::", "4:memory", "4:memory:/elsewhere", "x"])
    func hostile(groups: String) {
        #expect(ControlGroupPlace(groups: groups, mounts: "") == nil)
        #expect(ControlGroupPlace(groups: groups, mounts: "1 2 3 - cgroup - memory\n- - -") == nil)
    }
}
