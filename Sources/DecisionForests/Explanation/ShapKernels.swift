internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loop of explanations, from one build of `ForestKernels`.
struct ShapKernels: Sendable {
    /// Steps, their number, nodes, points, the room.
    let walk:
        @Sendable (
            UnsafePointer<Int32>, Int, UnsafePointer<ForestKernels.ShapKernel.Node>,
            UnsafePointer<ForestKernels.ShapKernel.Points>, ForestKernels.ShapKernel.Room
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
        ForestKernels.ShapKernel.walk(steps, count: count, nodes, points: points, room)
    }

    #if arch(x86_64)
        private static let avx2 = ShapKernels { steps, count, nodes, points, room in
            ForestKernelsAVX2.ShapKernel.walk(steps, count: count, nodes, points: points, room)
        }

        private static let avx512 = ShapKernels { steps, count, nodes, points, room in
            ForestKernelsAVX512.ShapKernel.walk(steps, count: count, nodes, points: points, room)
        }
    #endif
}
