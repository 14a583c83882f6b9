import Foundation
import Processes

/// One program that `manta up` keeps running.
struct Component: Sendable {
    let name: String
    var specification: ChildProcess.Specification
    /// Whether it starts programs of its own, so that a guard must clean up after it.
    var isGuarded = false
    var url: String?
    let logPath: String
    /// True once it does its work.
    let isReady: @Sendable () async -> Bool
}

/// Keeps one component running: starts it again when it ends, at most every ten seconds when it
/// keeps failing.
actor ComponentKeeper {
    private let component: Component
    private let guardExecutable: String
    private let onChange: @Sendable () async -> Void
    private var child: ChildProcess?
    private var guarded: GuardedProcess?
    private var isStopping = false
    private(set) var state = "starting"
    private(set) var restarts = 0
    private(set) var lastExit: ProcessExit?

    init(
        _ component: Component, guardExecutable: String,
        onChange: @escaping @Sendable () async -> Void
    ) {
        self.component = component
        self.guardExecutable = guardExecutable
        self.onChange = onChange
    }

    var snapshot: UpState.Component {
        UpState.Component(
            name: component.name, pid: child?.pid, state: state, url: component.url,
            restarts: restarts, log: component.logPath)
    }

    /// Runs until `stop`.
    func run() async {
        var pause = Duration.milliseconds(200)
        while !isStopping {
            let started = ContinuousClock.now
            do {
                let child = try start()
                self.child = child
                await onChange()
                let watch = Task { await becomeReady() }
                lastExit = await child.wait()
                watch.cancel()
            } catch {
                writeError("\(component.name): \(error)\n")
            }
            self.child = nil
            guarded = nil
            if isStopping { break }
            state = "restarting"
            restarts += 1
            await onChange()
            // What ran for a while is started again at once.
            if ContinuousClock.now - started > .seconds(30) { pause = .milliseconds(200) }
            try? await Task.sleep(for: pause)
            pause = min(.seconds(10), pause * 2)
        }
        state = "stopped"
    }

    func stop(grace: Duration) async {
        isStopping = true
        if let guarded {
            await guarded.terminate()
        } else {
            await child?.terminate(grace: grace)
        }
    }

    private func start() throws -> ChildProcess {
        var specification = component.specification
        specification.standardOutput = .file(component.logPath)
        specification.standardError = .file(component.logPath)
        guard component.isGuarded else { return try ChildProcess.spawn(specification) }
        let guarded = try GuardedProcess.spawn(
            specification, guardExecutable: guardExecutable, grace: .seconds(3))
        self.guarded = guarded
        return guarded.process
    }

    private func becomeReady() async {
        while !Task.isCancelled {
            if await component.isReady() {
                guard !Task.isCancelled else { return }
                state = "up"
                return await onChange()
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
