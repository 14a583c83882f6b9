import Dispatch
import Foundation
import Synchronization

/// Ends the process within a second when it is asked to (Ctrl-C, SIGTERM), wherever its threads
/// are.
///
/// Learning is one long computation that cannot be stopped from outside, so nothing waits for it:
/// what must not be left behind is cleared away here, and the process ends with 128 + signal.
final class Interruption: Sendable {
    /// What a farewell may take: a person who presses Ctrl-C waits a second at most.
    static let graceInMilliseconds = 800

    private struct Duties {
        var cleanUps: [@Sendable () -> Void] = []
        var farewell: (@Sendable () async -> Void)?
        var isOver = false
    }

    private let duties = Mutex(Duties())
    /// Held by steps of milliseconds that must not be cut in two.
    private let whole = Mutex(())

    /// Runs `body`; a signal until then ends the process. Clean-ups run also when `body` throws.
    func during<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        // A queue of its own gets a thread even while all others compute.
        let queue = DispatchQueue(label: "manta.interruption")
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [self] in end(128 + number) }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
        do {
            return try await body()
        } catch {
            cleanUp()
            throw error
        }
    }

    /// Something to clear away unless the work succeeds.
    func onFailure(_ cleanUp: @escaping @Sendable () -> Void) {
        duties.withLock { $0.cleanUps.append(cleanUp) }
    }

    /// Something to tell others before the process ends; nil when nothing is left to tell.
    func beforeEnd(_ farewell: (@Sendable () async -> Void)?) {
        duties.withLock { $0.farewell = farewell }
    }

    /// Runs a step of milliseconds that is done wholly or not at all.
    func withoutBreak<Result: Sendable>(_ body: () throws -> Result) rethrows -> Result {
        try whole.withLock { _ in try body() }
    }

    private func cleanUp() {
        let cleanUps = duties.withLock { duties in
            defer { duties.cleanUps = [] }
            return duties.cleanUps
        }
        for cleanUp in cleanUps.reversed() { cleanUp() }
    }

    private func end(_ code: Int32) {
        let (farewell, isRepeated) = duties.withLock { duties in
            defer { duties.isOver = true }
            return (duties.farewell, duties.isOver)
        }
        guard let farewell, !isRepeated else { return leave(code) }
        Task.detached { [self] in
            await farewell()
            leave(code)
        }
        DispatchQueue(label: "manta.grace").asyncAfter(
            deadline: .now() + .milliseconds(Self.graceInMilliseconds)
        ) {
            [self] in leave(code)
        }
    }

    private func leave(_ code: Int32) {
        withoutBreak {
            cleanUp()
            // Not exit(): its handlers would run beside threads that still compute.
            _exit(code)
        }
    }
}

/// Runs a long computation on a thread of its own, so that the threads of asynchronous work stay
/// free.
func onOwnThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
        thread.stackSize = 16 << 20
        thread.start()
    }
}
