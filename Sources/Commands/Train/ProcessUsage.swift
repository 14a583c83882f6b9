import Foundation

/// What this process has used so far, as the kernel counts it.
struct ProcessUsage {
    /// User and system time of all threads.
    let cpuSeconds: Double
    /// The most memory that was resident at once.
    let peakMemoryInBytes: Int
    private let time = ContinuousClock.now

    static var now: ProcessUsage { ProcessUsage() }

    private init() {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        cpuSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
        peakMemoryInBytes = Int(usage.ru_maxrss) * 1_024  // Linux counts in KiB
    }

    /// Wall and CPU seconds since an earlier moment.
    func since(_ earlier: ProcessUsage) -> (wall: Double, cpu: Double) {
        ((time - earlier.time).inSeconds, cpuSeconds - earlier.cpuSeconds)
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
    }
}

extension Duration {
    /// As a Double, for reports.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
