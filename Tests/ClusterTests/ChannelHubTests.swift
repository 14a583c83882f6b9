import Foundation
import JobChannel
import Jobs
import Testing

@testable import Cluster

/// A hub on a real socket, and processes that are only connections.
final class HubRig: Sendable {
    let folder: TemporaryFolder
    let hub: ChannelHub
    private let task: Task<Void, Never>

    init() throws {
        folder = try TemporaryFolder()
        let hub = try ChannelHub(path: folder.path + "/s/channel.sock")
        self.hub = hub
        task = Task { await hub.run() }
    }

    /// Both ends of a channel, the handshake done.
    func connect(
        _ role: ProcessRole = .driver
    ) async throws -> (worker: ChannelConnection, process: ChannelConnection) {
        let token = await hub.makeToken()
        async let client = ChannelClient.connect(path: hub.path, token: token, role: role)
        guard let arrival = await hub.arrival(with: token) else {
            throw NeverHappened(what: "an arrival")
        }
        try arrival.connection.send(HubRig.welcome)
        return (arrival.connection, try await client.connection)
    }

    static let welcome = ChannelMessage(
        .welcome(
            Welcome(protocolVersion: 1, job: "j", node: "w", slots: 1, scratchDirectory: "/tmp")))

    func close() async {
        hub.close()
        await task.value
    }
}

@Suite struct ChannelHubTests {
    @Test("A process that comes early waits; one that comes late is waited for")
    func arrivals() async throws {
        let rig = try HubRig()
        let early = await rig.hub.makeToken()
        let connecting = Task {
            try await ChannelClient.connect(path: rig.hub.path, token: early, role: .driver)
        }
        try await Task.sleep(for: .milliseconds(200))
        let arrival = try #require(await rig.hub.arrival(with: early))
        #expect(arrival.pid == getpid())
        try arrival.connection.send(HubRig.welcome)
        #expect(try await connecting.value.welcome.node == "w")
        _ = try await rig.connect()
        await rig.close()
    }

    @Test("A token nobody made, or that was used, is refused with words")
    func wrongToken() async throws {
        let rig = try HubRig()
        let refusal = ChannelError.refused("no process has this token")
        await #expect(throws: refusal) {
            try await ChannelClient.connect(path: rig.hub.path, token: "guess", role: .driver)
        }
        let token = await rig.hub.makeToken()
        let first = Task {
            try await ChannelClient.connect(path: rig.hub.path, token: token, role: .driver)
        }
        let arrival = try #require(await rig.hub.arrival(with: token))
        try arrival.connection.send(HubRig.welcome)
        _ = try await first.value
        await #expect(throws: refusal) {
            try await ChannelClient.connect(path: rig.hub.path, token: token, role: .driver)
        }
        await rig.close()
    }

    @Test("Of two processes with one token the second is refused")
    func twice() async throws {
        let rig = try HubRig()
        let token = await rig.hub.makeToken()
        async let first = ChannelClient.connect(path: rig.hub.path, token: token, role: .driver)
        try await Task.sleep(for: .milliseconds(200))
        await #expect(throws: ChannelError.self) {
            try await ChannelClient.connect(path: rig.hub.path, token: token, role: .driver)
        }
        let arrival = try #require(await rig.hub.arrival(with: token))
        try arrival.connection.send(HubRig.welcome)
        _ = try await first
        await rig.close()
    }

    @Test("A cancelled wait ends, before and after it began, and the process is refused")
    func cancelled() async throws {
        let rig = try HubRig()
        let token = await rig.hub.makeToken()
        let waiting = Task { await rig.hub.arrival(with: token) }
        try await Task.sleep(for: .milliseconds(50))
        await rig.hub.cancel(token)
        #expect(await waiting.value?.pid == nil)
        await #expect(throws: ChannelError.self) {
            try await ChannelClient.connect(path: rig.hub.path, token: token, role: .driver)
        }
        let unused = await rig.hub.makeToken()
        await rig.hub.cancel(unused)
        #expect(await rig.hub.arrival(with: unused)?.pid == nil)
        await rig.close()
    }

    @Test("Thousands of wrong guesses do not keep the right process out")
    func flood() async throws {
        let rig = try HubRig()
        for _ in 0..<300 {
            _ = try? await ChannelClient.connect(path: rig.hub.path, token: "x", role: .driver)
        }
        _ = try await rig.connect()
        await rig.close()
    }

    @Test("A closed hub lets nobody wait")
    func closed() async throws {
        let rig = try HubRig()
        let token = await rig.hub.makeToken()
        let waiting = Task { await rig.hub.arrival(with: token) }
        try await Task.sleep(for: .milliseconds(50))
        await rig.close()
        #expect(await waiting.value?.pid == nil)
        #expect(await rig.hub.arrival(with: token)?.pid == nil)
        let late = await rig.hub.makeToken()
        #expect(await rig.hub.arrival(with: late)?.pid == nil)
    }
}
