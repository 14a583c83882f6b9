/// The histograms of a growing tree's leaves, and the workers' own while one is filled.
///
/// A histogram has 256 cells per feature in two planes; packed ones use the first only. See
/// `HistogramKernel`. Memory has a bound: a leaf that gets no slot, or loses its own, is summed
/// again from its rows when it is split; sums are integers, so that this changes nothing.
final class HistogramStore {
    typealias Cells = UnsafeMutablePointer<Int64>

    /// Cells of a plane.
    let plane: Int
    let slotCount: Int
    private let slots: HugeBuffer<Int64>
    private var free: [Int]
    private let workerCells: HugeBuffer<Int64>
    /// Rows in a worker's packed cells since they were last emptied.
    private let packedRows: UnsafeMutablePointer<Int>
    /// Whether a worker has anything in its wide cells.
    private let hasSpilled: UnsafeMutablePointer<Bool>
    private let workerCount: Int

    /// Bytes of all slots together at most.
    private static let bytesMax = 256 << 20

    init(featureCount: Int, leafCountMax: Int, workerCount: Int) {
        plane = featureCount * 256
        let slotBytes = 2 * plane * MemoryLayout<Int64>.stride
        slotCount = min(leafCountMax + 1, max(4, Self.bytesMax / slotBytes))
        slots = HugeBuffer(count: slotCount * 2 * plane)
        free = Array((0..<slotCount).reversed())
        self.workerCount = workerCount
        workerCells = HugeBuffer(count: workerCount * 3 * plane)
        packedRows = .allocate(capacity: workerCount)
        packedRows.initialize(repeating: 0, count: workerCount)
        hasSpilled = .allocate(capacity: workerCount)
        hasSpilled.initialize(repeating: false, count: workerCount)
    }

    deinit {
        packedRows.deallocate()
        hasSpilled.deallocate()
    }

    func cells(ofSlot slot: Int) -> Cells { slots.base + slot * 2 * plane }

    /// A slot that nobody uses, nil if there is none.
    func take() -> Int? { free.popLast() }

    func giveBack(_ slot: Int) { free.append(slot) }

    /// Forgets whom slots belong to: before a tree.
    func reset() {
        free = Array((0..<slotCount).reversed())
    }

    private func packedCells(of worker: Int) -> Cells { workerCells.base + worker * 3 * plane }

    private func wideCells(of worker: Int) -> Cells { packedCells(of: worker) + plane }

    /// The worker's packed cells with room for `rows` more, for the worker itself.
    ///
    /// A worker empties its own cells, before their first use in a leaf: lines that another thread
    /// wrote last are slow to get, one by one, while rows are added.
    func packedCells(of worker: Int, rows: Int, kernels: BoosterKernels) -> Cells {
        let cells = packedCells(of: worker)
        if packedRows[worker] == 0 { cells.update(repeating: 0, count: plane) }
        if packedRows[worker] + rows > BoosterKernels.packedRowsMax {
            kernels.spill(cells, plane, wideCells(ofWorker: worker), plane)
            cells.update(repeating: 0, count: plane)
            packedRows[worker] = 0
        }
        packedRows[worker] += rows
        return cells
    }

    /// The worker's wide cells, for rounds without packed ones.
    func wideCells(ofWorker worker: Int) -> Cells {
        let cells = wideCells(of: worker)
        if !hasSpilled[worker] { cells.update(repeating: 0, count: 2 * plane) }
        hasSpilled[worker] = true
        return cells
    }

    /// Sums what all workers hold of a feature into a slot, whose old content is dropped.
    func collect(feature: Int, into slot: Int, isPacked: Bool, kernels: BoosterKernels) {
        let target = cells(ofSlot: slot) + feature * 256
        target.update(repeating: 0, count: 256)
        if !isPacked { (target + plane).update(repeating: 0, count: 256) }
        for worker in 0..<workerCount {
            if packedRows[worker] > 0 {
                let packed = packedCells(of: worker) + feature * 256
                if isPacked {
                    kernels.merge(packed, 256, target)
                } else {
                    kernels.spill(packed, 256, target, plane)
                }
            }
            if hasSpilled[worker] {
                let wide = wideCells(of: worker) + feature * 256
                kernels.merge(wide, 256, target)
                kernels.merge(wide + plane, 256, target + plane)
            }
        }
    }

    /// Drops what workers hold: after the last feature was collected.
    func endCollecting() {
        for worker in 0..<workerCount {
            packedRows[worker] = 0
            hasSpilled[worker] = false
        }
    }
}
