import Foundation
import Jobs
import Testing

@testable import Cluster

/// How each state of a job looks to people and to Ray's clients.
@Suite struct JobDetailsTests {
    private func details(
        _ state: JobState, entrypoint: Entrypoint = .command("python train.py")
    ) throws -> JobDetails {
        var record = JobRecord(
            spec: NewJob(
                id: try JobID("job"), entrypoint: entrypoint, workingDirectory: "ab",
                environment: ["A": "b"], metadata: ["m": "n"]),
            state: state, submittedAt: 1_000)
        record.driverAttempts = 2
        record.tasksTotal = 5
        record.tasksSucceeded = 3
        record.tasksFailed = 1
        record.tasksRetried = 4
        return JobDetails(record)
    }

    @Test("A queued job is pending")
    func queued() throws {
        let job = try details(.active(.queued))
        #expect(job.status == .pending && job.manta.phase == "queued")
        #expect(job.startTime == 1_000 && job.endTime == nil && job.driverExitCode == nil)
        #expect(job.type == "SUBMISSION" && job.jobID == nil && job.submissionID == "job")
        #expect(job.runtimeEnvironment.workingDirectory == "blob://ab")
        #expect(job.runtimeEnvironment.variables == ["A": "b"] && job.metadata == ["m": "n"])
        #expect(job.manta.driverAttempts == 2 && job.manta.tasksTotal == 5)
        #expect(job.manta.tasksSucceeded == 3 && job.manta.tasksFailed == 1)
        #expect(job.manta.tasksRetried == 4)
    }

    @Test("A job that compiles is pending, and says where")
    func compiling() throws {
        let job = try details(.active(.compiling(worker: "worker-1#5F0A93C2")))
        #expect(job.status == .pending && job.manta.phase == "compiling")
        #expect(job.manta.detail == "compiling on worker-1" && job.manta.worker == "worker-1")
    }

    @Test("A running job names its worker")
    func running() throws {
        let job = try details(.active(.running(worker: "worker-2")))
        #expect(job.status == .running && job.manta.detail == "running on worker-2")
        #expect(!job.status.isTerminal)
    }

    @Test("A job that is being stopped still runs")
    func stopping() throws {
        let job = try details(.stopping(by: "a user"))
        #expect(job.status == .running && job.manta.phase == "stopping")
        #expect(job.manta.detail == "stop asked for by a user")
    }

    @Test("A stopped job has no exit code and no error")
    func stopped() throws {
        let job = try details(.stopped(by: "a user"))
        #expect(job.status == .stopped && job.driverExitCode == nil && job.errorType == nil)
        #expect(job.message == "Job was intentionally stopped.")
    }

    @Test("A job that succeeded has exit code 0")
    func succeeded() throws {
        let job = try details(.succeeded(result: nil))
        #expect(job.status == .succeeded && job.driverExitCode == 0)
        #expect(job.message == "Job finished successfully." && job.errorType == nil)
    }

    @Test("A failed job keeps its code, signal and first line")
    func failed() throws {
        let crashed = try details(
            .failed(TaskFailure(kind: .crash, message: "it broke\nlast lines", exitCode: 3)))
        #expect(crashed.status == .failed && crashed.driverExitCode == 3)
        #expect(crashed.message == "it broke\nlast lines" && crashed.manta.detail == "it broke")
        #expect(crashed.errorType == "JOB_ENTRYPOINT_COMMAND_ERROR")
        let killed = try details(.failed(TaskFailure(kind: .crash, message: "", signal: 9)))
        #expect(killed.manta.signal == 9 && killed.driverExitCode == nil)
        #expect(killed.manta.detail == "")
        let broken = try details(
            .failed(TaskFailure(kind: .crash, message: "no", exitCode: BuildError.exitCode)))
        #expect(broken.errorType == "RUNTIME_ENV_SETUP_FAILURE")
    }

    @Test("A script is shown as it was typed")
    func script() throws {
        let job = try details(
            .active(.queued),
            entrypoint: .script(fileName: "a.swift", digest: "d", arguments: ["--x", "1"]))
        #expect(job.entrypoint == "a.swift --x 1")
    }

    @Test("The keys are Ray's, and ours stand under manta")
    func keys() throws {
        let data = try JSONEncoder().encode(details(.active(.running(worker: "w"))))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "type", "submission_id", "status", "entrypoint", "message", "start_time",
                "metadata",
                "runtime_env", "manta",
            ])
        #expect(object["status"] as? String == "RUNNING")
    }

    @Test("Where one job is asked for, it says why it stands where it stands")
    func why() throws {
        let spec = NewJob(id: try JobID("j"), entrypoint: .command("x"), pool: "gpu")
        var record = JobRecord(spec: spec, state: .active(.queued), submittedAt: 0)
        let driver = TaskRecord(
            spec: spec.driver, state: .waiting(notBefore: 0), attempt: 0, history: [], createdAt: 0)
        let waiting = JobDetails(JobSituation(now: 1, job: record, driver: driver))
        #expect(waiting.manta.why == "no worker is alive")
        #expect(waiting.manta.detail == "no worker is alive" && waiting.manta.pool == "gpu")
        record.state = .active(.running(worker: "w#00000000"))
        let running = JobDetails(JobSituation(now: 1, job: record, driver: driver))
        #expect(running.manta.why == "runs on w" && running.manta.detail == "running on w")
        #expect(JobDetails(record).manta.why == nil)
    }
}
