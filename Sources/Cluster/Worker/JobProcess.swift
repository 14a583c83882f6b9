import Foundation
import Jobs
import Processes
import Synchronization

/// One driver or executor: a guarded program whose output goes to the job's log.
final class JobProcess: Sendable {
    private let guarded: GuardedProcess
    private let memory: any MemoryGroup
    private let pump: OutputPump
    private let prefix: Prefix
    private let lastLines: LastLines
    /// Read when the program had ended, before its group was given back.
    private let lastUse = Mutex<MemoryUse?>(nil)

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - prefix: stands before each line in the log; "" for a driver.
    ///   - memory: a group without members, closed with the process.
    init(
        _ specification: ChildProcess.Specification, prefix: String, log: JobLog,
        guardExecutable: String, grace: Duration, memory: any MemoryGroup
    ) throws {
        var specification = specification
        specification.standardOutput = .pipe
        specification.standardError = .pipe
        let guarded = try GuardedProcess.spawn(
            specification, guardExecutable: guardExecutable, grace: grace, memory: memory)
        let box = Prefix(prefix)
        let last = LastLines()
        self.guarded = guarded
        self.memory = memory
        self.lastLines = last
        self.prefix = box
        pump = try OutputPump(
            standardOutput: guarded.process.standardOutput,
            standardError: guarded.process.standardError
        ) { stream, line in
            last.add(line.text)
            log.append(
                stream == .out ? .out : .err, prefix: box.value, text: line.text,
                endsWithLineFeed: line.endsWithLineFeed)
        }
    }

    /// A new attempt's lines begin, with this before each in the log; call it after `drain`.
    func beginLines(prefix text: String) {
        prefix.value = text
        lastLines.clear()
    }

    /// Waits until everything written so far is in the log's hands.
    func drain() async { await pump.drain() }

    /// Begins a piece of work: it and all it starts may take so much; nil: as much as there is.
    func begin(limitInBytes: Int64?) { memory.begin(limitInBytes: limitInBytes) }

    /// What the last piece of work took; also after the end.
    var memoryUse: MemoryUse { lastUse.withLock { $0 } ?? memory.use() }

    /// The program's end, after its last line.
    func wait() async -> ProcessExit {
        let status = await guarded.wait()
        await pump.wait()
        lastUse.withLock { last in
            guard last == nil else { return }
            last = memory.use()
            memory.close()
        }
        return status
    }

    func terminate() async { await guarded.terminate() }

    func killNow() async { await guarded.killNow() }

    /// The last few lines of the program, or since `beginLines`, for the cause of a failure.
    var tail: [String] { lastLines.all }
}

private final class Prefix: Sendable {
    private let text: Mutex<String>
    init(_ text: String) { self.text = Mutex(text) }
    var value: String {
        get { text.withLock { $0 } }
        set { text.withLock { $0 = newValue } }
    }
}

/// A ring of the last lines, each bounded.
private final class LastLines: Sendable {
    static let lineCount = 10
    static let lineMax = 500
    private let lines = Mutex<[String]>([])

    func add(_ line: String) {
        lines.withLock { lines in
            if lines.count == LastLines.lineCount { lines.removeFirst() }
            lines.append(String(line.prefix(LastLines.lineMax)))
        }
    }

    func clear() { lines.withLock { $0 = [] } }

    var all: [String] { lines.withLock { $0 } }
}

extension MemoryUse {
    /// What people are told of a piece of work that took too much; nil when it did not.
    var cause: String? {
        guard wasExceeded, let limitInBytes else { return nil }
        let (peak, limit) = (max(peakInBytes, limitInBytes).inMebibytes, limitInBytes.inMebibytes)
        return "out of memory: it and what it started took \(peak) of at most \(limit)"
    }
}

extension Int64 {
    /// "512 MiB", rounded up.
    fileprivate var inMebibytes: String { "\((self + (1 << 20) - 1) >> 20) MiB" }
}
