import Foundation
import Synchronization

@testable import Manta

/// The tasks that this target's tests run, as a script would declare them.
enum TestTasks {
    static let double = RemoteTask("double") { (number: Int, _) async throws -> Int in
        try await Task.sleep(for: .milliseconds(number % 7))
        return number * 2
    }
    static let picky = RemoteTask("picky") { (number: Int, _) async throws -> Int in
        if number == 7 { throw Unlucky(number: number) }
        try await Task.sleep(for: .milliseconds(20))
        return number
    }
    static let count = RemoteTask("count") { (number: Int, _) async throws -> Int in
        executions.withLock { $0 += 1 }
        return number
    }
    static let repeatText = RemoteTask("repeat") { (text: String, _) async throws -> String in
        text + text
    }
    static let sumOfData = RemoteTask("sumOfData") { (part: Part, _) async throws -> Int in
        part.bytes.reduce(0) { $0 + Int($1) } + part.offset
    }
    static let floats = RemoteTask("floats") { (values: [Double], _) async throws -> [Double] in
        values
    }
    static let sleepy = RemoteTask("sleepy") { (milliseconds: Int, _) async throws -> Int in
        try await Task.sleep(for: .milliseconds(milliseconds))
        return milliseconds
    }
    static let stubborn = RemoteTask("stubborn", attempts: 3, retriesErrors: true) {
        (_: Int, context) async throws -> Int in
        guard context.attempt == 3 else { throw Unlucky(number: context.attempt) }
        return context.attempt
    }
    static let readBlob = RemoteTask("readBlob") {
        (reference: BlobReference, context) async throws -> Int in
        try await context.value([Int].self, of: reference).reduce(0, +)
    }
    static let overlapping = RemoteTask("overlapping") { (_: Int, _) async throws -> Int in
        let now = running.withLock { running in
            running += 1
            return running
        }
        defer { running.withLock { $0 -= 1 } }
        try await Task.sleep(for: .milliseconds(3))
        return now
    }

    static let executions = Mutex(0)
    static let running = Mutex(0)

    struct Part: Codable, Sendable {
        var bytes: Data
        var offset: Int
    }

    struct Unlucky: Error, CustomStringConvertible {
        var number: Int
        var description: String { "\(number) is unlucky" }
    }

    /// Static properties are made at first use; a script's globals are made in order.
    static func declareAll() {
        _ = [
            double.name, picky.name, count.name, repeatText.name, sumOfData.name, floats.name,
            sleepy.name, stubborn.name, readBlob.name, overlapping.name,
        ]
    }
}
