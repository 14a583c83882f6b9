// How all replicas of a pool change their model together.
extension PoolState {
    /// Orders `directory` from every replica that can take orders; their calls.
    mutating func beginInstall() -> [(ReplicaID, call: UInt64)] {
        let able = replicas.filter { $0.value.takesOrders }
        return able.keys.map { id in
            // From here on the outcome of an older order is of no interest.
            replicas[id]?.startOrder = nil
            return (id, nextOrder())
        }
    }

    /// Puts the prepared model into the old one's place at all replicas, between two requests.
    ///
    /// Replicas that came up meanwhile with the old model load the new one before they answer
    /// again. So nobody sees the new model and then the old one.
    mutating func commit(
        _ prepared: [ReplicaID: UInt64], _ version: ServableVersion, _ directory: String,
        at now: Duration
    ) -> (previous: ServableVersion?, [Effect]) {
        let previous = served?.version
        served = Served(version: version, directory: directory, number: nextModelNumber())
        var effects: [Effect] = []
        for (id, replica) in replicas where replica.hasGreeted {
            if let call = prepared[id] {
                replica.socket?.send(.commit(call: call))
                effects += open(id, at: now)
            } else if replica.life.state != .draining {
                router.close(id)
                replicas[id]?.life.apply(.outdated, at: now)
                effects += bringUp(id, at: now)
            }
        }
        return (previous, effects)
    }

    /// Nothing changes: replicas forget what they prepared, and those that had waited for the old
    /// model's turn load it.
    mutating func abort(_ prepared: [ReplicaID: UInt64], at now: Duration) -> [Effect] {
        for id in prepared.keys { replicas[id]?.socket?.send(.discard) }
        return Array(replicas.keys).flatMap { id -> [Effect] in
            replicas[id]?.startOrder == nil ? bringUp(id, at: now) : []
        }
    }

    /// Nothing is served from now on: who waits is told so, replicas finish what they have and go.
    mutating func unload() -> (previous: ServableVersion?, [Effect]) {
        let previous = served?.version
        served = nil
        return (previous, refuseWaiting(with: PoolReply.notLoaded))
    }

    /// The gateway stops: replicas finish what they have and end.
    mutating func stop() -> [Effect] {
        isStopping = true
        for replica in replicas.values { replica.socket?.finish() }
        return refuseWaiting(with: PoolReply.stopping)
    }

    private mutating func refuseWaiting(
        with reply: (PredictRequest) -> Reply
    ) -> [Effect] {
        let waiting = pending.filter { router.isWaiting($0.key) }
        return waiting.flatMap { ticket, pending in
            finish(ticket, with: reply(pending.request))
        }
    }
}
