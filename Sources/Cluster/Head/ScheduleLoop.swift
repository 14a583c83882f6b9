import Foundation
import Jobs
import Logging

/// Submits the jobs of schedules when they are due.
///
/// Every head does so: the store makes one fire one job. Nothing is kept here, so a fire comes
/// late, and not never, when no head ran at its time.
struct ScheduleLoop: Sendable {
    let store: any JobStore
    let blobs: any BlobStore
    let logger: Logger
    private let wakeup = Wakeup()

    /// Schedules that another head was told of are seen after so long at the latest.
    static let pauseMax = Duration.seconds(10)
    /// A clock that is ahead of the store's asks again after so long.
    static let pauseMin = Duration.milliseconds(250)
    /// What scheduled jobs need must not be taken for unused; that takes days.
    static let touchInterval = Duration.seconds(3_600)

    init(store: any JobStore, blobs: any BlobStore, logger: Logger) {
        self.store = store
        self.blobs = blobs
        self.logger = logger
    }

    /// Looks at once: a schedule was put here.
    func wake() { wakeup.wake() }

    /// Fires until the task is cancelled.
    func run() async {
        var touched: ContinuousClock.Instant?
        while !Task.isCancelled {
            var pause = ScheduleLoop.pauseMax
            do {
                for job in try await store.fireSchedules() {
                    logger.info("schedule fired", metadata: ["job": "\(job.spec.id)"])
                }
                let schedules = try await store.schedules()
                if touched.map({ ContinuousClock.now - $0 > ScheduleLoop.touchInterval }) ?? true {
                    touched = .now
                    await touchBlobs(of: schedules)
                }
                let now = Int64(Date().timeIntervalSince1970 * 1_000)
                pause = ScheduleLoop.pause(until: schedules.map(\.nextFire).min(), at: now)
            } catch {
                logger.warning("schedules cannot be fired", metadata: ["cause": "\(error)"])
            }
            await wakeup.wait(atMost: pause)
        }
    }

    /// How long nothing can be due, as far as this clock knows.
    static func pause(until next: Int64?, at now: Int64) -> Duration {
        guard let next, next - now < 10_000 else { return pauseMax }
        return max(pauseMin, .milliseconds(next - now))
    }

    /// Blobs that nobody asks for are removed after days; a monthly job needs its own.
    private func touchBlobs(of schedules: [ScheduleRecord]) async {
        for job in schedules.map(\.schedule.job) {
            // What a URL names is fetched from there.
            var digests =
                job.workingDirectoryURL == nil ? [job.workingDirectory].compactMap { $0 } : []
            if case .script(_, let digest, _) = job.entrypoint { digests.append(digest) }
            for digest in digests where (try? await blobs.contains(digest)) == false {
                logger.warning(
                    "a scheduled job's blob is gone; put the schedule again",
                    metadata: ["job": "\(job.id)", "blob": "\(digest)"])
            }
        }
    }
}
