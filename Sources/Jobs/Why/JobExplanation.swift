/// One thing that holds a job up, or that ended it.
package struct JobReason: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable {
        // Why it waits
        case noWorker = "no_worker"
        case noPool = "no_pool"
        case labels
        /// It is a call, and its actor lives nowhere now.
        case actor
        /// No worker could ever take it.
        case tooLarge = "too_large"
        /// Workers could, but have no room now.
        case busy
        case driverSlots = "driver_slots"
        /// A worker has room and asks in a moment.
        case soon
        case jobsAhead = "jobs_ahead"
        case after, delay
        // What it does
        case compiling, running, stopping
        // How it ended
        case succeeded, stopped, error, lost, deadline
        case exitCode = "exit_code"
        case signal
        case outOfMemory = "out_of_memory"
        case deadTasks = "dead_tasks"
    }
    package var kind: Kind
    /// A clause for people: "needs 4 cpus; largest free 2 on worker b".
    package var text: String
    /// What it is about: a resource, a pool, a label, a job.
    package var subject: String?
    /// How much of `subject` is needed (CPUs, bytes, pieces), and the most there is.
    package var needs: Double?
    package var has: Double?
    /// The worker that has the most, or that does it.
    package var worker: String?

    package init(
        _ kind: Kind, _ text: String, subject: String? = nil, needs: Double? = nil,
        has: Double? = nil, worker: String? = nil
    ) {
        self.kind = kind
        self.text = text
        self.subject = subject
        self.needs = needs
        self.has = has
        self.worker = worker
    }
}

/// Why a job stands where it stands: `GET /api/jobs/{id}/why`.
package struct JobExplanation: Codable, Sendable, Hashable {
    /// "queued", "compiling", "running", "stopping", "succeeded", "failed" or "stopped".
    package var state: String
    /// All reasons in one line.
    package var line: String
    package var reasons: [JobReason]
    /// Commands that lead on.
    package var next: [String]

    init(_ state: JobState, _ reasons: [JobReason], next: [String] = []) {
        self.state = state.word
        self.reasons = reasons
        self.next = next
        line = reasons.map(\.text).joined(separator: "; ")
    }
}

extension JobSituation {
    /// What the job waits for, does, or ended by, with the commands that lead on.
    package var explanation: JobExplanation {
        switch job.state {
        case .active(.queued): queued
        case .active(.compiling(let worker)):
            JobExplanation(
                job.state,
                [
                    JobReason(
                        .compiling, "its script is compiled on \(WorkerID.name(in: worker))",
                        worker: WorkerID.name(in: worker))
                ])
        case .active(.running(let worker)): running(on: WorkerID.name(in: worker))
        case .stopping(let whom):
            JobExplanation(
                job.state,
                [
                    JobReason(
                        .stopping,
                        "is being stopped by \(whom); what does not end by itself is killed 5 s "
                            + "after it was told")
                ])
        case .succeeded: succeeded
        case .failed(let failure): failed(failure)
        case .stopped(let whom): stopped(by: whom)
        }
    }
}

extension JobState {
    /// One word for people.
    package var word: String {
        switch self {
        case .active(.queued): "queued"
        case .active(.compiling): "compiling"
        case .active(.running): "running"
        case .stopping: "stopping"
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .stopped: "stopped"
        }
    }
}

extension WorkerID {
    /// What people call the worker, from its identity "worker-1#5F0A93C2" or from a text that
    /// begins with one.
    package static func name(in text: String) -> String {
        text.split(separator: "#").first.map(String.init) ?? text
    }
}
