import Synchronization

/// The jobs of granted tasks as they were last read, since most claims bring tasks of the same.
final class GrantedJobs: Sendable {
    /// Jobs that are kept; with one more all are read anew.
    private static let countMax = 64

    private let known = Mutex<[[UInt8]: NewJob]>([:])

    /// - Parameter bytes: the job as submitted, JSON.
    func job(_ bytes: [UInt8]) throws(JobStoreError) -> NewJob {
        if let job = known.withLock({ $0[bytes] }) { return job }
        let job = try StoreCoding.decode(NewJob.self, from: bytes)
        known.withLock { known in
            if known.count >= GrantedJobs.countMax { known.removeAll() }
            known[bytes] = job
        }
        return job
    }
}
