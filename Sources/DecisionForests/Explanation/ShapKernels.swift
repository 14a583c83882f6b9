internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loop of explanations, from one build of `ForestKernels`. Nodes, points and the room
/// cross as raw pointers: each build has types of its own, all laid out alike.
struct ShapKernels: Sendable {
    /// Steps, their number, nodes, points, the room: one `ShapKernel.Room`.
    let walk:
        @Sendable (
            UnsafePointer<Int32>, Int, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer
        ) -> Void

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
            room.assumingMemoryBound(to: Kernel.Room.self).pointee)
    }

    #if arch(x86_64)
        private static let avx2 = ShapKernels { steps, count, nodes, points, room in
            typealias Kernel = ForestKernelsAVX2.ShapKernel
            Kernel.walk(
                steps, count: count, nodes.assumingMemoryBound(to: Kernel.Node.self),
                points: points.assumingMemoryBound(to: Kernel.Points.self),
                room.assumingMemoryBound(to: Kernel.Room.self).pointee)
        }

        private static let avx512 = ShapKernels { steps, count, nodes, points, room in
            typealias Kernel = ForestKernelsAVX512.ShapKernel
            Kernel.walk(
                steps, count: count, nodes.assumingMemoryBound(to: Kernel.Node.self),
                points: points.assumingMemoryBound(to: Kernel.Points.self),
                room.assumingMemoryBound(to: Kernel.Room.self).pointee)
        }
    #endif
}
