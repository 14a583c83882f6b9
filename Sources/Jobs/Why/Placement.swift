/// Why no worker runs a waiting task yet: the first thing that stands in its way.
///
/// The order is that of what helps least by waiting: no worker, no pool, labels, size, room.
struct Placement {
    let task: NewTask
    let workers: [WorkerRecord]

    var reason: JobReason {
        guard !workers.isEmpty else { return JobReason(.noWorker, "no worker is alive") }
        if case .call(let instance)? = ActorTask(task) {
            return JobReason(
                .actor,
                "the worker of actor \(instance) asks in a moment; while there is none, "
                    + "the actor's own task says why", subject: instance)
        }
        let serving = workers.filter { $0.poolNames.contains(task.pool) }
        guard !serving.isEmpty else { return noPool }
        let labelled = serving.filter { task.labels.isSubset(of: $0.labels) }
        guard !labelled.isEmpty else { return missingLabels(serving) }
        let able = labelled.filter { task.resources.fits(in: $0.total) }
        guard !able.isEmpty else { return tooLarge(labelled) }
        let roomy = able.filter { task.resources.fits(in: $0.free) }
        guard let first = roomy.first else { return busy(able) }
        if task.kind == .driver, roomy.allSatisfy({ $0.freeDriverSlots == 0 }) {
            let slots = roomy.compactMap(\.driverSlots).reduce(0, +)
            return JobReason(
                .driverSlots, "all \(slots) places for drivers in pool \(task.pool) are taken",
                subject: task.pool, needs: 1, has: 0)
        }
        return JobReason(
            .soon, "worker \(first.name) has room and asks in a moment", worker: first.name)
    }

    private var noPool: JobReason {
        let known = Set(workers.flatMap(\.poolNames)).sorted().joined(separator: ", ")
        return JobReason(
            .noPool, "no worker serves pool \(task.pool); workers serve \(known)",
            subject: task.pool)
    }

    private func missingLabels(_ serving: [WorkerRecord]) -> JobReason {
        let known = Set(serving.flatMap(\.labels))
        let missing = task.labels.subtracting(known).sorted()
        // Each is there, but no worker has all.
        let named = missing.isEmpty ? task.labels.sorted() : missing
        let needs = "needs \(named.count == 1 ? "label" : "labels") "
        let subject = named.joined(separator: ", ")
        if named == [NewTask.toolchainLabel] {
            return JobReason(
                .labels, needs + "\(subject): no worker has swiftc and the job SDK",
                subject: subject)
        }
        let offer =
            known.isEmpty
            ? "workers of pool \(task.pool) have none"
            : missing.isEmpty
                ? "no worker has all of them"
                : "workers of pool \(task.pool) have \(known.sorted().joined(separator: ", "))"
        return JobReason(.labels, "\(needs)\(subject); \(offer)", subject: subject)
    }

    /// No worker has as much, even when it is empty.
    private func tooLarge(_ able: [WorkerRecord]) -> JobReason {
        for demand in demands {
            guard let best = able.max(by: { demand.amount($0.total) < demand.amount($1.total) }),
                demand.amount(best.total) < demand.needs
            else { continue }
            let has = demand.amount(best.total)
            return reason(
                .tooLarge, demand, has: has, best,
                has > 0
                    ? "the largest worker of pool \(task.pool) has "
                        + "\(demand.text(has)) (\(best.name))"
                    : "workers of pool \(task.pool) have none")
        }
        return JobReason(.tooLarge, "needs \(everything) at once; no worker has so much")
    }

    /// Others use what it needs.
    private func busy(_ able: [WorkerRecord]) -> JobReason {
        for demand in demands {
            guard let best = able.max(by: { demand.amount($0.free) < demand.amount($1.free) }),
                demand.amount(best.free) < demand.needs
            else { continue }
            let has = max(0, demand.amount(best.free))
            return reason(
                .busy, demand, has: has, best,
                has > 0
                    ? "largest free \(demand.text(has)) on worker \(best.name)"
                    : "all are in use")
        }
        return JobReason(.busy, "needs \(everything) at once; no worker has so much free")
    }

    private func reason(
        _ kind: JobReason.Kind, _ demand: Demand, has: Int64, _ worker: WorkerRecord,
        _ rest: String
    ) -> JobReason {
        JobReason(
            kind, "needs \(demand.words); \(rest)", subject: demand.name,
            needs: Double(demand.needs) / demand.unit, has: Double(has) / demand.unit,
            worker: worker.name)
    }

    private var everything: String { demands.map(\.words).joined(separator: " and ") }

    private var demands: [Demand] {
        let needs = task.resources
        let own = [
            Demand(name: "cpus", needs: Int64(needs.milliCPUs), unit: 1_000) {
                Int64($0.milliCPUs)
            },
            Demand(name: "memory", needs: needs.memoryInBytes, unit: 1) { $0.memoryInBytes },
            Demand(name: "gpus", needs: Int64(needs.gpus), unit: 1) { Int64($0.gpus) },
        ]
        let custom = needs.custom.sorted { $0.key < $1.key }.map { name, amount in
            Demand(name: name, needs: Int64(amount), unit: 1_000) { Int64($0.custom[name] ?? 0) }
        }
        return (own + custom).filter { $0.needs > 0 }
    }
}

/// How much of one thing a task needs.
private struct Demand {
    let name: String
    let needs: Int64
    /// What is counted as 1 before people.
    let unit: Double
    /// How much of it there is.
    let amount: (Resources) -> Int64

    /// "4 cpus", "8 GiB of memory", "1 licence"
    var words: String {
        switch name {
        case "memory": "\(text(needs)) of memory"
        case "cpus", "gpus":
            "\(text(needs)) \(needs == Int64(unit) ? String(name.dropLast()) : name)"
        default: "\(text(needs)) \(name)"
        }
    }

    func text(_ amount: Int64) -> String {
        name == "memory" ? amount.inBinaryUnits : (Double(amount) / unit).plainText
    }
}

extension Int64 {
    /// Bytes for people: "8 GiB", "1.5 GiB", "512 MiB", "100 B".
    package var inBinaryUnits: String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where self >= Int64(1) << Int64(shift) {
            let tenths = (Double(self) / Double(Int64(1) << Int64(shift)) * 10).rounded() / 10
            return "\(tenths.plainText) \(unit)"
        }
        return "\(self) B"
    }
}

extension Double {
    /// "2", "0.5".
    package var plainText: String {
        self == rounded() && abs(self) < 1e15 ? String(Int64(self)) : String(self)
    }
}
