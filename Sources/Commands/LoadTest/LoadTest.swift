import Foundation
import Processes
import Synchronization

/// An open-loop load test: requests are due at fixed times and go over the first free connection.
///
/// A request's latency runs from when it was due, not from when a connection was free for it. So a
/// server that stops for a second is charged with the second for all who would have asked in it;
/// to leave that out is the coordinated omission of closed loops.
struct LoadTest: Sendable {
    /// What came of it.
    struct Outcome: Sendable {
        var latency = LatencyHistogram()
        /// From when a request was sent: what a closed loop would report.
        var serviceTime = LatencyHistogram()
        /// How many replies had each status.
        var statuses: [Int: Int] = [:]
        /// How many had none, by reason.
        var failures: [String: Int] = [:]
        /// From the start to the last reply.
        var duration = Duration.zero

        var answeredCount: Int { statuses.values.reduce(0, +) }

        mutating func add(_ other: Self) {
            latency.add(other.latency)
            serviceTime.add(other.serviceTime)
            statuses.merge(other.statuses, uniquingKeysWith: +)
            failures.merge(other.failures, uniquingKeysWith: +)
            duration = max(duration, other.duration)
        }
    }

    let address: LoadAddress
    /// The request's bytes, the same each time.
    let request: [UInt8]
    let connectionCount: Int
    let schedule: ArrivalSchedule
    /// Requests that are due before it are sent and not counted.
    let warmUp: Duration
    let timeoutInSeconds: Int

    /// Runs to the end of the schedule and the last reply.
    func run() async -> Outcome {
        let shared = Shared(schedule)
        let start = ContinuousClock.now
        return await withTaskGroup(of: Outcome.self) { group in
            for _ in 0..<connectionCount {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        startThread(named: "load") {
                            continuation.resume(returning: drive(shared, from: start))
                        }
                    }
                }
            }
            return await group.reduce(into: Outcome()) { $0.add($1) }
        }
    }

    private final class Shared: Sendable {
        private let schedule: Mutex<ArrivalSchedule>

        init(_ schedule: ArrivalSchedule) { self.schedule = Mutex(schedule) }

        func next() -> Duration? { schedule.withLock { $0.next() } }
    }

    /// One connection: takes the next request that is due, waits for its time, sends it.
    private func drive(_ shared: Shared, from start: ContinuousClock.Instant) -> Outcome {
        let connection = LoadConnection(
            address, request: request, timeoutInSeconds: timeoutInSeconds)
        var outcome = Outcome()
        while let due = shared.next() {
            Self.sleep(until: start + due)
            let sent = ContinuousClock.now
            var status: Int?
            var failure: String?
            do throws(LoadConnection.Failure) {
                status = try connection.exchange()
            } catch {
                failure = Self.words(for: error)
            }
            let end = ContinuousClock.now
            outcome.duration = end - start
            guard due >= warmUp else { continue }
            if let failure { outcome.failures[failure, default: 0] += 1 }
            if let status {
                outcome.statuses[status, default: 0] += 1
                outcome.latency.record(Self.nanoseconds(end - (start + due)))
                outcome.serviceTime.record(Self.nanoseconds(end - sent))
            }
        }
        return outcome
    }

    private static func sleep(until due: ContinuousClock.Instant) {
        let left = due - ContinuousClock.now
        guard left > .zero else { return }
        let parts = left.components
        var time = timespec(
            tv_sec: Int(parts.seconds), tv_nsec: Int(parts.attoseconds / 1_000_000_000))
        var rest = timespec()
        // Woken early by a signal, it sleeps on for what is left.
        while nanosleep(&time, &rest) != 0 && errno == EINTR { time = rest }
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        UInt64(max(0, duration / .nanoseconds(1)))
    }

    private static func words(for failure: LoadConnection.Failure) -> String {
        switch failure {
        case .cannotConnect(let cause): "cannot connect: \(cause)"
        case .broken: "connection broken"
        case .timedOut: "timed out"
        case .notHTTP: "not HTTP"
        }
    }
}
