import Logging

/// What `/health` says of replicas in processes.
package struct ReplicaStatus: Sendable, Hashable {
    /// How many there should be.
    package var target = 0
    package var ready = 0
    package var starting = 0
    package var draining = 0
    /// Requests at replicas, and those that wait for one.
    package var ongoing = 0
    package var queued = 0
    /// Replicas that were lost since the start.
    package var replaced = 0
    /// Why the target last changed.
    package var reason: String?
    package var pids: [Int32] = []

    /// Two pools together.
    static func + (one: Self, other: Self) -> Self {
        ReplicaStatus(
            target: one.target + other.target, ready: one.ready + other.ready,
            starting: one.starting + other.starting, draining: one.draining + other.draining,
            ongoing: one.ongoing + other.ongoing, queued: one.queued + other.queued,
            replaced: one.replaced + other.replaced, reason: other.reason ?? one.reason,
            pids: (one.pids + other.pids).sorted())
    }
}

extension ReplicaPool {
    func log(_ event: PoolEvent) {
        switch event {
        case .ready(let id, let pid, let time):
            logger.info(
                "replica ready",
                metadata: ["replica": "\(id)", "pid": "\(pid ?? 0)", "duration": "\(time)"])
        case .lost(let id, let cause, let retried):
            logger.warning(
                "replica lost",
                metadata: ["replica": "\(id)", "cause": "\(cause)", "retried": "\(retried)"])
        case .scaled(let decision):
            logger.info(
                "replicas scaled",
                metadata: [
                    "from": "\(decision.from)", "to": "\(decision.to)",
                    "reason": "\(decision.reason)",
                ])
        }
    }

    func logEnd(of id: ReplicaID, _ process: any ReplicaProcess) async {
        let end = await process.wait()
        logger.info("replica ended", metadata: ["replica": "\(id)", "end": "\(end)"])
    }
}
