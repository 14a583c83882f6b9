import Foundation
import TestSupport

/// What a cluster says about its jobs, and what the tests of faults make it do.
extension TestCluster {
    struct JobFacts: Decodable {
        struct More: Decodable {
            let phase: String
            let worker: String?
            let driverAttempts: Int
            let tasksTotal: Int
            let tasksSucceeded: Int
            let tasksFailed: Int
            let tasksRetried: Int
        }

        let status: String
        let message: String
        let manta: More

        var isOver: Bool { status != "PENDING" && status != "RUNNING" }
    }

    struct TaskFacts: Decodable {
        let id: String
        let name: String
        let state: String
        let attempt: Int
        let causes: [String]
    }

    /// A task of `PythonJob` that has come to its gate, as its line in the log says.
    struct Arrival: Equatable {
        let executor: Int32
        let worker: String
        let input: Int
        let attempt: Int
    }

    // MARK: Reading

    func job(_ id: String) async throws -> JobFacts {
        try decode(await HeadProbe(self).get("/api/jobs/\(id)").text)
    }

    func tasks(of id: String) async throws -> [TaskFacts] {
        try decode(await HeadProbe(self).get("/api/jobs/\(id)/tasks").text)
    }

    func log(ofJob id: String) async throws -> [String] {
        let reply: [String: String] = try decode(
            await HeadProbe(self).get("/api/jobs/\(id)/logs").text)
        return (reply["logs"] ?? "").split(separator: "\n").map(String.init)
    }

    /// A counter or gauge of the head's metrics; nil when there is none of that name.
    func metric(_ name: String) async throws -> Double? {
        let lines = try await HeadProbe(self).get("/metrics").text.split(separator: "\n")
        return lines.first { $0.hasPrefix(name + " ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
    }

    private func decode<Value: Decodable>(_ text: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: Data(text.utf8))
    }

    /// The job when it is over.
    func end(of id: String, within limit: Duration = .seconds(60)) async throws -> JobFacts {
        var last: JobFacts?
        try await eventually("\(id) is over", within: limit) {
            // A head that is away has no word on it yet.
            last = try? await self.job(id)
            return last?.isOver == true
        }
        guard let last else { throw Failure(description: "\(id) is unknown") }
        return last
    }

    // MARK: Gates

    private func gate(of id: String) -> String { "\(folder)/work/\(id).gate" }

    /// Submits `PythonJob` and does not wait for its end.
    func submitPython(_ id: String, _ arguments: String...) async throws {
        let script = try write(PythonJob.source, named: "job.swift")
        let output = try await manta(
            [
                "job", "submit", "--no-wait", "--submission-id", id, "--env",
                "GATE=\(gate(of: id))", script, "--",
            ] + arguments)
        guard output.exit.isSuccess else { throw Failure(description: output.err) }
    }

    /// Lets all tasks of the job through that wait, or will wait, at its gate.
    func openGate(of id: String) throws {
        try "".write(toFile: gate(of: id), atomically: true, encoding: .utf8)
    }

    func arrivals(of id: String) async throws -> [Arrival] {
        let pattern = /\(gate pid=(\d+), node=([\w-]+)\) at the gate (\d+) attempt (\d+)/
        return try await log(ofJob: id).compactMap { line in
            guard let match = line.wholeMatch(of: pattern),
                let executor = Int32(match.1), let input = Int(match.3), let attempt = Int(match.4)
            else { return nil }
            return Arrival(
                executor: executor, worker: String(match.2), input: input, attempt: attempt)
        }
    }

    /// Waits until so many tasks have come to the gate, those that came again included.
    @discardableResult
    func waitForArrivals(
        _ count: Int, of id: String, within limit: Duration = .seconds(30)
    ) async throws -> [Arrival] {
        var all: [Arrival] = []
        try await eventually("\(count) tasks of \(id) are at the gate", within: limit) {
            all = (try? await self.arrivals(of: id)) ?? all
            return all.count >= count
        }
        return all
    }
}

/// What a case took, printed where a run is read, for the table in docs/RELIABILITY.md.
enum Measured {
    static func note(_ number: Int, _ what: String, _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let value = Double(seconds) + Double(attoseconds) / 1e18
        print("measured: case \(number): \(what): \(String(format: "%.2f", value)) s")
    }

    /// Runs `body` and notes how long it took.
    @discardableResult
    static func time(
        _ number: Int, _ what: String, _ body: () async throws -> Void
    ) async rethrows -> Duration {
        let start = ContinuousClock.now
        try await body()
        let duration = ContinuousClock.now - start
        note(number, what, duration)
        return duration
    }
}
