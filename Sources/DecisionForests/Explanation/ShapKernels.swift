internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loop of explanations, from one build of `ForestKernels`. Nodes and points cross as raw
/// pointers: each build has types of its own, all laid out alike.
struct ShapKernels: Sendable {
    /// What a walk works on; see `ShapKernel.Room`.
    struct Room {
        let rows: UnsafePointer<Float>
        let rowCount: Int
        let featureCount: Int
        let words: UnsafePointer<UInt32>
        let leafValues: UnsafePointer<Float>
        let outputCount: Int
        let flags: UnsafeMutablePointer<UInt8>
        let vectors: UnsafeMutablePointer<SIMD8<Double>>
        let slotCount: Int
        let sums: UnsafeMutablePointer<SIMD8<Double>>
    }

    /// Steps, their number, nodes, points, the room.
    let walk:
        @Sendable (UnsafePointer<Int32>, Int, UnsafeRawPointer, UnsafeRawPointer, Room) -> Void

    /// The loop of this build. The machine must be able to run it.
    static func of(_ choice: KernelChoice) -> ShapKernels {
        #if arch(x86_64)
            switch choice {
            case .baseline: baseline
            case .avx2: avx2
            case .avx512: avx512
            }
        #else
            baseline
        #endif
    }

    private static let baseline = ShapKernels { steps, count, nodes, points, room in
        typealias Kernel = ForestKernels.ShapKernel
        Kernel.walk(
            steps, count: count, nodes.assumingMemoryBound(to: Kernel.Node.self),
            points: points.assumingMemoryBound(to: Kernel.Points.self),
            Kernel.Room(
                rows: room.rows, rowCount: room.rowCount, featureCount: room.featureCount,
                words: room.words, leafValues: room.leafValues, outputCount: room.outputCount,
                flags: room.flags, vectors: room.vectors, slotCount: room.slotCount,
                sums: room.sums))
    }

    #if arch(x86_64)
        private static let avx2 = ShapKernels { steps, count, nodes, points, room in
            typealias Kernel = ForestKernelsAVX2.ShapKernel
            Kernel.walk(
                steps, count: count, nodes.assumingMemoryBound(to: Kernel.Node.self),
                points: points.assumingMemoryBound(to: Kernel.Points.self),
                Kernel.Room(
                    rows: room.rows, rowCount: room.rowCount, featureCount: room.featureCount,
                    words: room.words, leafValues: room.leafValues, outputCount: room.outputCount,
                    flags: room.flags, vectors: room.vectors, slotCount: room.slotCount,
                    sums: room.sums))
        }

        private static let avx512 = ShapKernels { steps, count, nodes, points, room in
            typealias Kernel = ForestKernelsAVX512.ShapKernel
            Kernel.walk(
                steps, count: count, nodes.assumingMemoryBound(to: Kernel.Node.self),
                points: points.assumingMemoryBound(to: Kernel.Points.self),
                Kernel.Room(
                    rows: room.rows, rowCount: room.rowCount, featureCount: room.featureCount,
                    words: room.words, leafValues: room.leafValues, outputCount: room.outputCount,
                    flags: room.flags, vectors: room.vectors, slotCount: room.slotCount,
                    sums: room.sums))
        }
    #endif
}
