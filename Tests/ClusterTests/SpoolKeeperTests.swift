import Foundation
import Jobs
import Synchronization
import Testing

@testable import Cluster

/// What a worker does with the folders of drivers that are gone, MLflow being a double.
@Suite struct SpoolKeeperTests {
    /// Takes what a folder holds once it is told that the server is there.
    private final class Server: SpoolReplayer {
        struct Call: Sendable, Hashable {
            var job: JobID
            var ending: RunEnding?
            var variable: String?
        }

        /// Since when everything waits.
        let oldest: Int64
        private let calls = Mutex<[Call]>([])
        private let isUp = Mutex(false)

        init(age: Duration = .zero) {
            oldest = Int64(Date().timeIntervalSince1970) * 1_000 - age.components.seconds * 1_000
        }

        var seen: [Call] { calls.withLock { $0 } }
        func comeBack() { isUp.withLock { $0 = true } }

        func backlog(of folder: String, job: JobID) -> TrackingBacklog? {
            guard FileManager.default.fileExists(atPath: folder + "/run-1") else { return nil }
            return TrackingBacklog(job: job, waitingCount: 3, oldest: oldest, lastError: "away")
        }

        func replay(
            _ folder: String, job: JobID, variables: [String: String], ending: RunEnding?
        ) async -> SpoolReplayOutcome {
            calls.withLock {
                $0.append(Call(job: job, ending: ending, variable: variables["MLFLOW_X"]))
            }
            return isUp.withLock { $0 }
                ? SpoolReplayOutcome(backlog: nil, isDone: true)
                : SpoolReplayOutcome(backlog: backlog(of: folder, job: job), isDone: false)
        }
    }

    /// A shell command is a driver too: it gets the folder and may leave something in it.
    private func submit(_ rig: WorkerRig, _ command: String) async throws -> JobID {
        try await rig.submit(.command(command)) { $0.environment["MLFLOW_X"] = "own" }
    }

    private func eventually(
        _ what: String, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, "never: \(what)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test(
        "What a driver leaves is told, and sent with its job's end and variables when it is over",
        arguments: [
            ("exit 0", RunEnding.finished), ("exit 3", .failed), ("kill -9 $$", .killed),
            ("kill -SEGV $$", .failed),
        ])
    func leftBehind(_ last: String, _ ending: RunEnding) async throws {
        let server = Server()
        let rig = try WorkerRig(replayer: server)
        let job = try await submit(
            rig, "mkdir $MANTA_SPOOL/run-1; test $MANTA_SPOOL_MAX && \(last)")
        try await eventually("the heartbeat tells it") {
            try await rig.store.workers().first?.tracking?.first
                == TrackingBacklog(
                    job: job, waitingCount: 3, oldest: server.oldest, lastError: "away")
        }
        try await eventually("the end is told") { server.seen.contains { $0.ending == ending } }
        let folder = "\(rig.folder.path)/cache-worker-1/spool/\(job)"
        #expect(FileManager.default.fileExists(atPath: folder))
        server.comeBack()
        try await eventually("it is gone") { !FileManager.default.fileExists(atPath: folder) }
        try await eventually("the heartbeat is silent") {
            try await rig.store.workers().first?.tracking?.isEmpty == true
        }
        #expect(server.seen.allSatisfy { $0.job == job && $0.variable == "own" })
        await rig.stop()
    }

    @Test("What waits longer than the bound is dropped")
    func tooOld() async throws {
        let server = Server(age: .seconds(3_600))
        let rig = try WorkerRig(replayer: server) { $0.spoolAgeMax = .seconds(3_599) }
        let job = try await submit(rig, "mkdir $MANTA_SPOOL/run-1")
        try await eventually("it was tried") { !server.seen.isEmpty }
        let folder = "\(rig.folder.path)/cache-worker-1/spool/\(job)"
        try await eventually("it is gone") { !FileManager.default.fileExists(atPath: folder) }
        await rig.stop()
    }

    @Test("While a driver runs its folder is left to it, and is gone when nothing was recorded")
    func running() async throws {
        let server = Server()
        let rig = try WorkerRig(replayer: server)
        let job = try await submit(
            rig, "touch here; while test ! -e stop; do sleep 0.05; done; ls -d $MANTA_SPOOL")
        let place = "\(rig.folder.path)/run/worker-1/jobs/\(job)"
        try await eventually("it runs") { FileManager.default.fileExists(atPath: place + "/here") }
        try await Task.sleep(for: .milliseconds(600))
        #expect(server.seen.isEmpty)
        #expect(FileManager.default.createFile(atPath: place + "/stop", contents: nil))
        try await eventually("it is over") {
            try await rig.store.job(job)?.state.isTerminal == true
        }
        let folder = "\(rig.folder.path)/cache-worker-1/spool/\(job)"
        try await eventually("it is gone") { !FileManager.default.fileExists(atPath: folder) }
        await rig.stop()
    }
}
