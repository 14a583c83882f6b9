import Jobs

extension JobDetails {
    /// As `init(_:)`, and for a job that waits: what for.
    init(_ record: JobRecord, in store: any JobStore) async throws {
        self.init(record)
        if case .active(.queued) = record.state {
            manta.detail = JobDetails.waitingReason(
                of: record.spec, among: try await store.workers())
        }
    }

    /// Why a queued job does not run yet, in one line.
    static func waitingReason(of job: NewJob, among workers: [WorkerRecord]) -> String {
        if workers.isEmpty { return "waiting: no worker is up" }
        let driver = job.driver
        let able = workers.filter { driver.labels.isSubset(of: $0.labels) }
        guard !able.isEmpty else {
            return driver.labels == [JobSDK.label]
                ? "waiting: no worker has swiftc and the job SDK"
                : "waiting: no worker has the labels "
                    + driver.labels.sorted().joined(separator: ", ")
        }
        let needs = driver.resources
        if needs.milliCPUs > able.map(\.total.milliCPUs).max() ?? 0 {
            return "waiting: needs \(needs.cpuText) cpus; the largest worker has "
                + (able.map(\.total).max { $0.milliCPUs < $1.milliCPUs } ?? needs).cpuText
        }
        guard able.contains(where: { needs.fits(in: $0.total) }) else {
            return "waiting: no worker has the memory or the gpus it needs"
        }
        return "waiting for a worker"
    }
}

extension Resources {
    /// "2", "0.5".
    fileprivate var cpuText: String {
        milliCPUs % 1_000 == 0 ? String(milliCPUs / 1_000) : String(Double(milliCPUs) / 1_000)
    }
}
