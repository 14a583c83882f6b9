import DecisionForests
import Foundation

/// `learning-bench kernels LIBRARY`: times the hot loops of boosting beside those of a C library
/// built from Benchmarks/kernels, in turns, on the same rows.
struct KernelBench {
    private let kernels = BoosterKernels.of(.current)
    private let library: CLibrary
    private let rows = KernelRows()
    /// Pairs of measurements; a loop's figure is the median of its own.
    private let turns = 15

    /// What is printed.
    struct Report: Encodable {
        struct Loop: Encodable {
            let name: String
            /// Nanoseconds of processor time per update: a cell, a row or a value.
            let ours: Double
            let c: Double
        }

        let build: String
        let loops: [Loop]
    }

    init(_ arguments: some Sequence<String>) throws {
        guard let path = Array(arguments).first else {
            throw BenchOptions.Problem(description: "kernels needs a library")
        }
        library = try CLibrary(path)
    }

    func run() throws -> Report {
        Report(
            build: KernelChoice.current.rawValue,
            loops: try [
                packed("histogram, rows in order", rows.inOrder),
                packed("histogram, through an index", rows.some),
                wide("wide histogram, through an index", rows.some),
                divide("partition, rows in order", rows.inOrder),
                divide("partition, through an index", rows.some),
                logistic("gradient of log loss"), quantise("to integers"),
            ])
    }

    /// Times both; each leaves a checksum, which must be the same.
    private func compare(
        _ name: String, updates: Int, ours: () -> UInt64, c: () -> UInt64
    ) throws -> Report.Loop {
        guard ours() == c() else {
            throw BenchOptions.Problem(description: "\(name): C computes something else")
        }
        var times: (ours: [Double], c: [Double]) = ([], [])
        for _ in 0..<turns {
            times.ours.append(Self.seconds(ours))
            times.c.append(Self.seconds(c))
        }
        func median(_ values: [Double]) -> Double {
            values.sorted()[values.count / 2] * 1e9 / Double(updates)
        }
        return Report.Loop(name: name, ours: median(times.ours), c: median(times.c))
    }

    private static func seconds(_ work: () -> UInt64) -> Double {
        let start = ProcessUsage.cpuSeconds
        _ = work()
        return ProcessUsage.cpuSeconds - start
    }

    private func packed(_ name: String, _ entries: [UInt64]) throws -> Report.Loop {
        let cells = rows.cells
        return try compare(name, updates: entries.count * KernelRows.featureCount) {
            kernels.addPacked(entries, entries.count, rows.tile, KernelRows.featureCount, cells)
            return KernelRows.sum(cells)
        } c: {
            library.addPacked(entries, entries.count, rows.tile, cells)
            return KernelRows.sum(cells)
        }
    }

    private func wide(_ name: String, _ entries: [UInt64]) throws -> Report.Loop {
        let (cells, plane) = (rows.cells, KernelRows.plane)
        return try compare(name, updates: entries.count * KernelRows.featureCount) {
            kernels.addWide(
                entries, entries.count, rows.gradients, rows.hessians, rows.tile,
                KernelRows.featureCount, cells, plane)
            return KernelRows.sum(cells)
        } c: {
            library.addWide(
                entries, entries.count, rows.gradients, rows.hessians, rows.tile, cells, plane)
            return KernelRows.sum(cells)
        }
    }

    private func divide(_ name: String, _ entries: [UInt64]) throws -> Report.Loop {
        let (low, count) = (rows.divided, entries.count)
        return try compare(name, updates: count) {
            UInt64(
                kernels.divide(
                    entries, count, rows.column, rows.goesLeft, low, low + (count - 1)))
        } c: {
            UInt64(
                library.divide(
                    entries, count, rows.column, rows.goesLeft, low, low + (count - 1)))
        }
    }

    private func logistic(_ name: String) throws -> Report.Loop {
        let (scores, targets, chunk) = (rows.scores, rows.targets, KernelRows.chunk)
        let (gradients, hessians) = (rows.floats, rows.floats + chunk)
        return try compare(name, updates: KernelRows.repeats * chunk) {
            for _ in 0..<KernelRows.repeats {
                kernels.logistic(scores, targets, chunk, gradients, hessians)
            }
            return KernelRows.sum(gradients, 2 * chunk)
        } c: {
            for _ in 0..<KernelRows.repeats {
                library.logistic(scores, targets, chunk, gradients, hessians)
            }
            return KernelRows.sum(gradients, 2 * chunk)
        }
    }

    private func quantise(_ name: String) throws -> Report.Loop {
        let (targets, chunk, scale) = (rows.targets, KernelRows.chunk, 0x1p28)
        let integers = rows.integers
        func sum() -> UInt64 {
            (0..<chunk).reduce(0) { $0 &* 31 &+ UInt64(bitPattern: Int64(integers[$1])) }
        }
        return try compare(name, updates: KernelRows.repeats * chunk) {
            for _ in 0..<KernelRows.repeats { kernels.quantise(targets, chunk, scale, integers) }
            return sum()
        } c: {
            for _ in 0..<KernelRows.repeats { library.quantise(targets, chunk, scale, integers) }
            return sum()
        }
    }
}
