import Foundation

@testable import Manta

/// Actors that tests start; declared once for the whole process.
enum TestActors {
    struct Unlucky: Error, CustomStringConvertible {
        var description: String { "13 is unlucky" }
    }

    /// A value type: its state is what its messages changed.
    struct Counter: RemoteActor {
        private var sum: Int

        init(_ start: Int, context: TaskContext) throws {
            if start < 0 { throw Unlucky() }
            sum = start
        }

        mutating func receive(_ amount: Int) async throws -> Int {
            sum += amount
            if amount == 13 { throw Unlucky() }
            if amount == 99 { try await TestActors.gate.enter() }
            if amount == 0 { try await Task.sleep(for: .milliseconds(20)) }
            return sum
        }
    }

    /// An actor of the language, without arguments.
    actor Diary: RemoteActor {
        private var lines: [String] = []

        init(_ arguments: NoArguments, context: TaskContext) {
            lines = ["at \(context.node)"]
        }

        func receive(_ line: String) async -> [String] {
            lines.append(line)
            return lines
        }
    }

    /// What a counter waits for that is told to add 99.
    static let gate = SlotGate(0)

    static let counters = RemoteActorKind("counter", Counter.self, pendingCallsMax: 8)
    static let diaries = RemoteActorKind("diary", Diary.self)

    static func declareAll() { _ = (counters, diaries) }
}
