import Foundation

/// Runs a plan's components and writes down how they are.
actor Supervisor {
    private let plan: UpPlan
    private var keepers: [ComponentKeeper] = []
    private var hasReported = false
    private var isWriting = false
    private var hasChanged = false

    init(_ plan: UpPlan) { self.plan = plan }

    /// Starts everything, then keeps it running until the task is cancelled; ends it in reverse
    /// order.
    func run() async throws {
        let components = try plan.components()
        keepers = components.map { component in
            ComponentKeeper(component, guardExecutable: plan.binary) { [weak self] in
                await self?.changed()
            }
        }
        await withDiscardingTaskGroup { group in
            for (component, keeper) in zip(components, keepers) {
                group.addTask { await keeper.run() }
                if component.name == "redis" { await waitUntilUp(keeper) }
            }
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
            writeError("Stopping…\n")
            await stop()
        }
        try? FileManager.default.removeItem(atPath: UpState.path(in: plan.dataDirectory))
    }

    private func waitUntilUp(_ keeper: ComponentKeeper) async {
        while await keeper.state != "up" && !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Gateway and workers first, so that they can still hand back what they hold.
    private func stop() async {
        let servers = keepers.suffix(keepers.count - storeCount)
        await withDiscardingTaskGroup { group in
            for keeper in servers { group.addTask { await keeper.stop(grace: .seconds(4)) } }
        }
        await withDiscardingTaskGroup { group in
            for keeper in keepers.prefix(storeCount) {
                group.addTask { await keeper.stop(grace: .seconds(4)) }
            }
        }
    }

    /// Redis and MLflow, where we run them, stand at the front.
    private var storeCount: Int {
        (plan.redisPort == nil ? 0 : 1) + (plan.mlflowPort == nil ? 0 : 1)
    }

    /// Writes what is true now; one at a time, so that an older picture never replaces a newer one.
    private func changed() async {
        hasChanged = true
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while hasChanged {
            hasChanged = false
            await writeState()
        }
    }

    private func writeState() async {
        var state = UpState(
            pid: getpid(), pidStart: UpState.startTime(of: getpid()), isReady: true,
            dataDirectory: plan.dataDirectory,
            tokenFile: plan.environment.stateDirectory + "/token",
            head: .init(url: plan.headURL), gateway: .init(url: plan.gatewayURL),
            mlflow: .init(url: plan.mlflowURL),
            redis: plan.redisPort.map { .init(url: "redis://localhost:\($0)") }, components: [])
        for keeper in keepers { state.components.append(await keeper.snapshot) }
        state.isReady = state.components.allSatisfy { $0.state == "up" }
        do {
            try state.write()
        } catch {
            writeError("\(UpState.path(in: plan.dataDirectory)) cannot be written: \(error)\n")
        }
        if state.isReady && !hasReported {
            hasReported = true
            writeOut(UpReport.ready(state))
        }
    }
}

/// What people read about a running `manta up`.
enum UpReport {
    static func line(_ component: UpState.Component) -> String {
        let name = component.name.padding(toLength: 10, withPad: " ", startingAt: 0)
        return "\(name) \(component.state)\(component.url.map { "  \($0)" } ?? "")\n"
    }

    static func ready(_ state: UpState) -> String {
        let gateway = state.gateway?.url ?? "-"
        return """
            Manta is up.
              Jobs:    \(state.head?.url ?? "-")    job submit jobs/train.swift
              Predict: \(gateway)    curl -X POST \(gateway)/model/load
              MLflow:  \(state.mlflow?.url ?? "-")
              Data:    \(state.dataDirectory)
            End it with Ctrl-C or `manta down`.

            """
    }
}
