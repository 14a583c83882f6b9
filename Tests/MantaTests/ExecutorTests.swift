import Foundation
import JobChannel
import Testing

@testable import Manta

@Suite(.timeLimit(.minutes(1))) struct ExecutorTests {
    init() {
        TestTasks.declareAll()
        TestActors.declareAll()
    }

    /// The worker's end of a channel whose other end an executor serves.
    private func withExecutor(
        _ body: (ChannelConnection, Task<Void, any Error>) async throws -> Void
    ) async throws {
        let folder =
            FileManager.default.temporaryDirectory.path + "/me-\(UUID().uuidString.prefix(8))"
        let listener = try ChannelListener(path: folder + "/s")
        defer {
            listener.close()
            try? FileManager.default.removeItem(atPath: folder)
        }
        async let connecting = ChannelClient.connect(
            path: listener.path, token: "t", role: .executor)
        let connection = try #require(await listener.connections.first { _ in true })
        let hello = try await connection.receiveHello()
        #expect(hello.role == .executor && hello.token == "t" && hello.pid == getpid())
        try connection.send(
            .init(
                .welcome(
                    Welcome(
                        protocolVersion: 1, job: "j", node: "n", slots: 1, scratchDirectory: folder
                    ))))
        let executor = Executor(try await connecting)
        let serving = Task { try await executor.serve() }
        try await body(connection, serving)
        connection.close()
    }

    private func input(_ value: some Encodable) throws -> [UInt8] {
        try TaskCoding.encode(value, subject: "test").bytes
    }

    private func next(_ connection: ChannelConnection) async throws -> ChannelMessage? {
        try await connection.messages.first { _ in true }
    }

    @Test("Assignments are answered one after the other")
    func inTurn() async throws {
        try await withExecutor { connection, _ in
            for (assignment, value) in [(1, 40), (2, 0), (3, 5)] as [(UInt64, Int)] {
                try connection.send(
                    .init(
                        .run(
                            assignment: assignment, task: "sleepy", attempt: 1, inputBlob: nil),
                        payload: input(value)))
            }
            for (assignment, value) in [(1, 40), (2, 0), (3, 5)] as [(UInt64, Int)] {
                let answer = try await next(connection)
                #expect(
                    answer
                        == ChannelMessage(
                            .answered(assignment: assignment, .succeeded(blob: nil)),
                            payload: try input(value)))
            }
        }
    }

    @Test("An unknown task, a foreign input and an error are failures with a message")
    func failures() async throws {
        try await withExecutor { connection, _ in
            let cases: [(task: String, payload: [UInt8], text: String)] = [
                ("nobody", try input(1), "nobody"), ("double", try input("text"), "cannot be read"),
                ("double", Array("rubbish".utf8), "no first line"),
                ("double", Array("manta-task/9\n1".utf8), "manta-task/9"),
                ("picky", try input(7), "7 is unlucky"),
            ]
            for (index, (task, payload, text)) in cases.enumerated() {
                try connection.send(
                    .init(
                        .run(assignment: UInt64(index), task: task, attempt: 1, inputBlob: nil),
                        payload: payload))
                guard
                    case .answered(UInt64(index), .failed(let message))? =
                        try await next(connection)?.header
                else {
                    Issue.record("\(task) did not fail")
                    continue
                }
                #expect(message.contains(text))
            }
        }
    }

    @Test("An executor that became an actor answers its messages in order, and keeps its state")
    func becomesAnActor() async throws {
        try await withExecutor { connection, _ in
            try connection.send(
                .init(
                    .become(
                        assignment: 1, instance: "counter/0", attempt: 1, inputBlob: nil,
                        milliCPUs: 1_000), payload: input(10)))
            let asked: [(UInt64, Int, Int)] = [(2, 0, 10), (3, 5, 15), (4, 1, 16)]
            for (assignment, amount, _) in asked {
                try connection.send(
                    .init(
                        .call(
                            assignment: assignment, instance: "counter/0", attempt: 1,
                            inputBlob: nil), payload: input(amount)))
            }
            for (assignment, _, sum) in asked {
                let expected = ChannelMessage(
                    .answered(assignment: assignment, .succeeded(blob: nil)),
                    payload: try input(sum))
                #expect(try await next(connection) == expected)
            }
        }
    }

    @Test("An actor that cannot be made says why, for itself and not for its messages")
    func cannotBecome() async throws {
        try await withExecutor { connection, _ in
            for (assignment, instance, text) in [
                (1, "counter/0", "13 is unlucky"), (2, "nobody/0", "nobody"),
            ] as [(UInt64, String, String)] {
                try connection.send(
                    .init(
                        .become(
                            assignment: assignment, instance: instance, attempt: 1, inputBlob: nil,
                            milliCPUs: 0), payload: input(-1)))
                try connection.send(
                    .init(
                        .call(assignment: 9, instance: instance, attempt: 1, inputBlob: nil),
                        payload: input(1)))
                guard
                    case .answered(assignment, .failed(let message))? =
                        try await next(connection)?.header
                else { throw TestActors.Unlucky() }
                #expect(message.contains(text))
            }
        }
    }

    @Test("A cancelled assignment says so; a late cancel touches nothing else")
    func cancel() async throws {
        try await withExecutor { connection, _ in
            try connection.send(
                .init(
                    .run(assignment: 1, task: "sleepy", attempt: 1, inputBlob: nil),
                    payload: input(30_000)))
            try connection.send(.init(.cancel(assignment: 1)))
            #expect(
                try await next(connection)?.header == .answered(assignment: 1, .cancelled))
            try connection.send(.init(.cancel(assignment: 1)))
            try connection.send(
                .init(
                    .run(assignment: 2, task: "sleepy", attempt: 1, inputBlob: nil),
                    payload: input(1)))
            #expect(
                try await next(connection)?.header
                    == .answered(assignment: 2, .succeeded(blob: nil)))
        }
    }

    @Test("Shutdown ends the loop, and so does the worker's end")
    func endings() async throws {
        try await withExecutor { connection, serving in
            try connection.send(.init(.shutdown(graceInSeconds: 1)))
            try await serving.value
        }
        try await withExecutor { connection, serving in
            connection.close()
            try await serving.value
        }
    }
}
