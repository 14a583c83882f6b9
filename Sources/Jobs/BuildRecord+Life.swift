/// What a store keeps of one build: who compiles until when, or how it ended.
package enum BuildState: Sendable, Hashable {
    case building(by: WorkerID, token: Int64, expiry: Int64)
    /// `token` is the one that ended it, so that a repeated call is recognised.
    case ended(BuildOutcome, token: Int64)
}

/// The life of a build: `building(token) → ended`, or free again when it was abandoned or its
/// worker stopped answering.
extension BuildRecord {
    /// What `worker` is told when it asks for a build at `now`, and what the store keeps
    /// afterwards.
    ///
    /// The builder itself asks again to extend its right; it gets its own token back.
    package static func beginning(
        _ kept: BuildState?, by worker: WorkerID, at now: Int64,
        lease: Int64 = leaseInMilliseconds, nextToken: () -> Int64
    ) -> (answer: BuildRecord, kept: BuildState) {
        let expiry = now + lease
        switch kept {
        case .building(worker, let token, let end) where end > now:
            return (
                .granted(token: token, expiry: expiry),
                .building(by: worker, token: token, expiry: expiry)
            )
        case .building(let other, let token, let end) where end > now:
            return (.building(by: other), .building(by: other, token: token, expiry: end))
        case .ended(let outcome, let token) where outcome != .abandoned:
            return (.ended(outcome), .ended(outcome, token: token))
        case nil, .building, .ended:
            let token = nextToken()
            return (
                .granted(token: token, expiry: expiry),
                .building(by: worker, token: token, expiry: expiry)
            )
        }
    }

    /// Ends the build granted by `token`; nil when another builder took over.
    package static func ending(
        _ kept: BuildState?, token: Int64, outcome: BuildOutcome
    ) -> BuildState? {
        switch kept {
        case .building(_, token, _): .ended(outcome.bounded, token: token)
        case .ended(let committed, token): .ended(committed, token: token)
        case nil, .building, .ended: nil
        }
    }
}

extension BuildOutcome {
    /// The outcome with diagnostics cut to `BuildRecord.diagnosticsMax`.
    package var bounded: BuildOutcome {
        guard case .failed(let diagnostics) = self else { return self }
        return .failed(diagnostics: diagnostics.prefix(maxBytes: BuildRecord.diagnosticsMax))
    }
}
