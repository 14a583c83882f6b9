import Foundation
import Testing

@testable import JobChannel

@Suite(.timeLimit(.minutes(1))) struct ChannelListenerTests {
    let folder =
        FileManager.default.temporaryDirectory.path + "/manta-\(UUID().uuidString.prefix(8))"

    private func withListener(
        welcome version: Int = ChannelClient.protocolVersion,
        _ body: (ChannelListener) async throws -> Void
    ) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let listener = try ChannelListener(path: folder + "/s")
        let server = Task {
            for await connection in listener.connections {
                guard let hello = try? await connection.receiveHello() else {
                    connection.close()
                    continue
                }
                guard hello.token == "right" else {
                    try? connection.send(
                        ChannelMessage(.refused(request: 0, reason: "unknown token")))
                    connection.close()
                    continue
                }
                try? connection.send(
                    ChannelMessage(
                        .welcome(
                            Welcome(
                                protocolVersion: version, job: "j", node: "n", slots: 3,
                                scratchDirectory: folder))))
            }
        }
        try await body(listener)
        listener.close()
        await server.value
    }

    @Test("A client with the right token is welcomed")
    func welcome() async throws {
        try await withListener { listener in
            let client = try await ChannelClient.connect(
                path: listener.path, token: "right", role: .driver)
            #expect(client.welcome.slots == 3)
            client.connection.close()
        }
    }

    @Test("A refusal reaches the client with its reason")
    func refusal() async throws {
        try await withListener { listener in
            await #expect(throws: ChannelError.refused("unknown token")) {
                _ = try await ChannelClient.connect(
                    path: listener.path, token: "wrong", role: .driver)
            }
        }
    }

    @Test("A worker of another version is refused, both versions named")
    func workerMismatch() async throws {
        try await withListener(welcome: 7) { listener in
            await #expect(throws: ChannelError.protocolMismatch(ours: 1, theirs: 7)) {
                _ = try await ChannelClient.connect(
                    path: listener.path, token: "right", role: .executor)
            }
        }
    }

    @Test("A client of another version is told both versions")
    func clientMismatch() async throws {
        let ends = try ChannelConnectionTests.makePair()
        try ends.0.send(
            ChannelMessage(.hello(protocolVersion: 9, role: .driver, pid: 1, token: "right")))
        await #expect(throws: ChannelError.protocolMismatch(ours: 1, theirs: 9)) {
            _ = try await ends.1.receiveHello()
        }
        let answer = try await ends.0.messages.first { _ in true }
        guard case .refused(_, let reason)? = answer?.header else {
            Issue.record("no refusal: \(String(describing: answer))")
            return
        }
        #expect(reason.contains("version 1") && reason.contains("version 9"))
        ends.0.close()
        ends.1.close()
    }

    @Test("A silent client is given up")
    func silentClient() async throws {
        let ends = try ChannelConnectionTests.makePair()
        await #expect(throws: ChannelError.self) {
            _ = try await ends.1.receiveHello(within: .milliseconds(50))
        }
        ends.0.close()
        ends.1.close()
    }

    @Test("The socket and its folder are the user's alone, and a stale file is replaced")
    func permissions() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try ChannelListener(path: folder + "/s")
        let second = try ChannelListener(path: folder + "/s")
        var status = stat()
        #expect(stat(folder + "/s", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(folder, &status) == 0 && status.st_mode & 0o777 == 0o700)
        first.close()
        second.close()
    }

    @Test("A long path, a foreign file and an open folder are refused with a reason")
    func unusablePaths() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let long = "/tmp/" + String(repeating: "x", count: 103)
        #expect {
            _ = try ChannelListener(path: long)
        } throws: { "\($0)".contains("108 bytes") }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755])
        #expect(throws: ChannelError.self) { _ = try ChannelListener(path: folder + "/s") }
        chmod(folder, 0o700)
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/s"))
        #expect(throws: ChannelError.self) { _ = try ChannelListener(path: folder + "/s") }
    }

    @Test("Connecting where nobody listens fails at once")
    func nobody() async throws {
        await #expect(throws: ChannelError.self) {
            _ = try await ChannelClient.connect(
                path: folder + "/none", token: "", role: .driver)
        }
    }
}
