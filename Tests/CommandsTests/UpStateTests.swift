import Foundation
import Glibc
import Processes
import Testing

@testable import Commands

@Suite struct UpStateTests {
    private func state(_ place: TestPlace, pid: Int32, start: UInt64) -> UpState {
        UpState(
            pid: pid, pidStart: start, isReady: true, dataDirectory: place.path,
            tokenFile: "/t", head: .init(url: "http://localhost:9000"), gateway: nil, mlflow: nil,
            redis: nil,
            components: [
                .init(name: "head", pid: 1, state: "up", url: nil, restarts: 0, log: nil)
            ])
    }

    private func read(_ place: TestPlace) -> UpState? {
        UpState.read(Environment(values: ["MANTA_DATA_DIR": place.path]))
    }

    @Test("A running manta up is found, and its address used")
    func running() throws {
        let place = try TestPlace()
        try state(place, pid: getpid(), start: UpState.startTime(of: getpid())).write()
        let found = try #require(read(place))
        #expect(found.components.map(\.name) == ["head"] && found.pid == getpid())
        let environment = Environment(values: ["MANTA_DATA_DIR": place.path])
        #expect(environment.headAddress(nil) == "http://localhost:9000")
    }

    @Test("A recycled pid is not mistaken for it")
    func recycled() throws {
        let place = try TestPlace()
        try state(place, pid: getpid(), start: UpState.startTime(of: getpid()) + 1).write()
        #expect(read(place) == nil)
        try state(place, pid: getpid(), start: 0).write()
        #expect(read(place) == nil)
    }

    @Test("A dead pid is none, and neither is a zombie")
    func dead() async throws {
        let place = try TestPlace()
        let child = try ChildProcess.spawn(
            ChildProcess.Specification("/bin/sleep", ["60"], environment: [:]))
        let start = UpState.startTime(of: child.pid)
        #expect(start > 0)
        try state(place, pid: child.pid, start: start).write()
        #expect(read(place) != nil)
        child.signal(SIGKILL)
        _ = await child.wait()
        #expect(UpState.startTime(of: child.pid) == 0)
        #expect(read(place) == nil)
    }

    @Test("A name with brackets and spaces does not shift the start time")
    func oddName() async throws {
        let place = try TestPlace()
        let program = place.path + "/a) S 1 (b"
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program)
        let child = try ChildProcess.spawn(
            ChildProcess.Specification(program, ["60"], environment: [:]))
        let own = UpState.startTime(of: getpid())
        let start = UpState.startTime(of: child.pid)
        // Both count ticks since boot: the child began after us, and not hours after.
        #expect(start >= own && start < own + 100 * 3_600)
        child.signal(SIGKILL)
        _ = await child.wait()
    }

    @Test("A damaged or absent file is none")
    func damaged() throws {
        let place = try TestPlace()
        #expect(read(place) == nil)
        for text in ["", "{", "[]", "{\"pid\": 1}", "\u{0}"] {
            try place.write(text, to: "up.json")
            #expect(read(place) == nil)
        }
    }

    @Test("Two cannot run on one folder")
    func lock() throws {
        let place = try TestPlace()
        let first = FolderLock(place.path + "/data")
        #expect(first != nil)
        #expect(FolderLock(place.path + "/data") == nil)
        #expect(FolderLock(place.path + "/other") != nil)
        withExtendedLifetime(first) {}
    }

    @Test("A folder is free again when its holder is gone")
    func unlock() throws {
        let place = try TestPlace()
        do {
            let first = FolderLock(place.path)
            #expect(first != nil)
        }
        #expect(FolderLock(place.path) != nil)
    }
}

@Suite struct FreePortTests {
    /// Listens on a port until it goes.
    private final class Listener {
        let descriptor: Int32
        let port: Int

        init(address: UInt32) throws {
            let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_addr = in_addr(s_addr: address.bigEndian)
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isListening = withUnsafeMutablePointer(to: &place) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, size) == 0 && listen(socket, 1) == 0
                        && getsockname(socket, $0, &size) == 0
                }
            }
            descriptor = socket
            port = Int(UInt16(bigEndian: place.sin_port))
            try #require(isListening)
        }

        deinit { close(descriptor) }
    }

    @Test(
        "A port in use is passed over, on loopback and on all addresses",
        arguments: [0x7F00_0001, 0])
    func inUse(_ address: UInt32) throws {
        let listener = try Listener(address: address)
        var taken: Set<Int> = []
        let port = try FreePort.from(listener.port, taken: &taken)
        #expect(port > listener.port && taken == [port])
        #expect(FreePort.answers(listener.port) && !FreePort.isFree(listener.port))
        let next = try FreePort.from(listener.port, taken: &taken)
        #expect(next > port && taken == [port, next])
    }

    @Test("Beyond the last port there is none")
    func none() {
        var taken = Set(65_000...65_535)
        #expect(throws: SettingError.self) { try FreePort.from(65_500, taken: &taken) }
    }
}
