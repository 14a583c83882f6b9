import DecisionForests
import Foundation

/// `learning-bench csv FILE… [--target NAME] [--task KIND] [--threads N] [--repeat N]`: reads
/// files and says how much of them a second of CPU time covers.
struct CSVBench {
    private var paths: [String] = []
    private var options = ReadOptions(target: "y")
    private var repeatCount = 1

    /// What is printed. Megabytes are 10^6 bytes.
    struct Report: Encodable {
        let bytes: Int
        let rows: Int
        let features: Int
        let threads: Int
        /// The median of all readings: time on all threads, and time that passed.
        let cpuSeconds: Double
        let seconds: Double
        let megabytesPerCpuSecond: Double
        /// The most memory the process has held, in bytes.
        let peakMemory: Int
        /// FNV-1a of all values, to set beside another reading.
        let valuesHash: String
    }

    init(_ arguments: some Sequence<String>) throws {
        options.threads = 1
        var words = Array(arguments)[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("--") else {
                paths.append(word)
                continue
            }
            guard let value = words.popFirst() else {
                throw BenchOptions.Problem(description: "\(word) needs a value")
            }
            switch word {
            case "--target": options.target = value
            case "--threads": options.threads = try BenchOptions.number(word, value)
            case "--repeat": repeatCount = try BenchOptions.number(word, value)
            case "--task":
                guard let kind = Dataset.TargetKind(rawValue: value) else {
                    throw BenchOptions.Problem(description: "--task '\(value)' is unknown")
                }
                options.task = kind
            default: throw BenchOptions.Problem(description: "\(word) is unknown")
            }
        }
    }

    func run() throws -> Report {
        var cpuTimes: [Double] = []
        var times: [Double] = []
        var last: Dataset?
        for _ in 0..<max(1, repeatCount) {
            last = nil
            let (start, cpuStart) = (ContinuousClock().now, Self.usage().cpuSeconds)
            last = try Dataset.load(paths, options: options)
            cpuTimes.append(Self.usage().cpuSeconds - cpuStart)
            times.append((ContinuousClock().now - start) / .seconds(1))
        }
        guard let data = last else {
            throw BenchOptions.Problem(description: "nothing was read")
        }
        let bytes = try paths.map {
            try FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int ?? 0
        }.reduce(0, +)
        let peak = Self.usage().peakMemory
        let cpuSeconds = cpuTimes.sorted()[cpuTimes.count / 2]
        return Report(
            bytes: bytes, rows: data.rowCount, features: data.featureCount,
            threads: options.threads, cpuSeconds: cpuSeconds,
            seconds: times.sorted()[times.count / 2],
            megabytesPerCpuSecond: Double(bytes) / 1e6 / cpuSeconds, peakMemory: peak,
            valuesHash: Self.hash(data))
    }

    private static func hash(_ data: Dataset) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for column in data.columns {
            for value in column {
                hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3
            }
        }
        return String(hash, radix: 16)
    }

    private static func usage() -> (cpuSeconds: Double, peakMemory: Int) {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let times = [usage.ru_utime, usage.ru_stime]
        let seconds = times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        return (seconds, usage.ru_maxrss * 1024)
    }
}
