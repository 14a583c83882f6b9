// Calls that do nothing, counted: the sections of `script/bench jobs`.
import Foundation
import Manta

struct Options: JobOptions {
    @Option(help: "latency, throughput, arguments or nap.") var section = "latency"
    @Option(help: "Calls.") var count = 1_000
    @Option(help: "Calls at a time.") var inFlight = 1_000
    @Option(help: "Bytes of each argument.") var bytes = 100_000
    @Option(help: "The file a nap tells of itself in.") var file = ""
}

let noop = RemoteTask<Int, Int>("noop") { number, _ in number }

let size = RemoteTask<Data, Int>("size") { bytes, _ in bytes.count }

/// Says that it began, and sleeps in its first attempt only.
let nap = RemoteTask<String, Int>("nap") { file, context in
    let line = "\(getpid()) \(context.attempt)\n"
    let handle = open(file, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    _ = line.withCString { write(handle, $0, strlen($0)) }
    close(handle)
    if context.attempt == 1 { try await Task.sleep(for: .seconds(600)) }
    return context.attempt
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
}

/// `count` calls that differ, so that none is answered from what another left.
func arguments(_ count: Int, _ size: Int) -> [Data] {
    (0..<count).map { number in
        var bytes = Data(repeating: UInt8(truncatingIfNeeded: number), count: size)
        withUnsafeBytes(of: number) { bytes.replaceSubrange(0..<8, with: $0) }
        return bytes
    }
}

try await runJob(Options.self) { options, cluster in
    switch options.section {
    case "latency":
        for number in 0..<100 { _ = try await cluster.map(noop, over: [-number]) }
        var samples: [Double] = []
        for number in 0..<options.count {
            samples.append(try await seconds { _ = try await cluster.map(noop, over: [number]) })
        }
        samples.sort()
        let p50 = samples[samples.count / 2]
        let p99 = samples[samples.count * 99 / 100]
        print("RESULT {\"p50\": \(p50), \"p99\": \(p99)}")
    case "throughput":
        _ = try await cluster.map(noop, over: (0..<100).map { -$0 }, maxInFlight: 100)
        let numbers = Array(0..<options.count)
        let time = try await seconds {
            _ = try await cluster.map(noop, over: numbers, maxInFlight: options.inFlight)
        }
        print("RESULT {\"per_second\": \(Double(options.count) / time)}")
    case "arguments":
        let inputs = arguments(options.count, options.bytes)
        let time = try await seconds {
            _ = try await cluster.map(size, over: inputs, maxInFlight: options.inFlight)
        }
        print("RESULT {\"per_second\": \(Double(options.count) / time)}")
    default:
        _ = try await cluster.map(nap, over: [options.file])
    }
}
