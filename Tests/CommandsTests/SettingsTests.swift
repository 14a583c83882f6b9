import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct SettingsTests {
    @Test("A .env file gives variables, without quotes, comments and exports")
    func dotEnv() {
        let values = DotEnv.parse(
            """
            # comment
            A=1
            export B = two words
            C="quoted"
            D='single'
            not a setting
            =nothing
            E=
            """)
        #expect(
            values == ["A": "1", "B": "two words", "C": "quoted", "D": "single", "E": ""])
    }

    @Test("The first of several names that is set and not empty counts")
    func precedence() {
        let environment = Environment(values: [
            "RAY_ADDRESS": "http://ray:1", "MANTA_ADDRESS": "", "XDG_STATE_HOME": "relative",
            "HOME": "/home/ada",
        ])
        #expect(environment.headAddress(nil) == "http://ray:1")
        #expect(environment.headAddress("head:8265") == "http://head:8265")
        #expect(environment.stateDirectory == "/home/ada/.local/state/manta")
    }

    @Test(
        "Sizes need a unit, and say so", arguments: ["12", "", "GiB", "-1GiB", "1e400GB", "4 XB"])
    func badSizes(_ text: String) {
        #expect(throws: SettingError.self) { try ByteSize(text) }
    }

    @Test("Sizes take binary and decimal units")
    func sizes() throws {
        #expect(try ByteSize("4GiB").bytes == 4 << 30)
        #expect(try ByteSize("1.5MB").bytes == 1_500_000)
        #expect(try ByteSize("512KiB").bytes == 512 << 10)
    }

    @Test("A secret file is its owner's alone, and the second maker reads the first one's secret")
    func secretFile() throws {
        let folder = NSTemporaryDirectory() + "manta-secret-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try SecretFile.make(folder + "/deep/token")
        #expect(first.count == 64)
        #expect(try SecretFile.make(folder + "/deep/token") == first)
        let mode =
            try FileManager.default.attributesOfItem(atPath: folder + "/deep/token")[
                .posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(throws: SettingError.self) { try SecretFile.read(folder + "/none") }
    }

    @Test("A recycled or ended process is not taken for a running `manta up`")
    func upState() {
        #expect(UpState.startTime(of: getpid()) > 0)
        #expect(UpState.startTime(of: 0) == 0)
        var state = UpState(
            pid: getpid(), pidStart: UpState.startTime(of: getpid()), isReady: true,
            dataDirectory: "/tmp", tokenFile: "/tmp/token", components: [])
        #expect(state.isAlive)
        state.pidStart += 1
        #expect(!state.isAlive)
    }

    @Test("A port that somebody listens on is passed over")
    func freePort() throws {
        var taken: Set<Int> = []
        let first = try FreePort.from(40_000, taken: &taken)
        let second = try FreePort.from(first, taken: &taken)
        #expect(second > first)
        #expect(!FreePort.answers(first))
    }
}
