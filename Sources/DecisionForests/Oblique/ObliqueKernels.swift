internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loops of oblique trees, from the build of `ForestKernels` that this machine runs best.
///
/// What each does stands at its declaration in `ProjectionKernel`.
struct ObliqueKernels: Sendable {
    typealias Floats = UnsafePointer<Float>
    typealias Targets = UnsafeMutablePointer<Float>

    let gather:
        @Sendable (
            Floats, Int, UnsafePointer<UInt32>, Int, UnsafePointer<Int32>, Int, Targets, Int
        ) -> Void
    let project:
        @Sendable (
            Floats, Int, UnsafePointer<Int32>, Floats, Int, Int, UnsafeMutablePointer<Double>,
            Targets
        ) -> Void
    let range: @Sendable (Floats, Int) -> (least: Float, greatest: Float)
    let bin:
        @Sendable (
            Floats, Int, Float, Float, Float, Float, UnsafeMutablePointer<UInt8>
        ) -> Void

    /// The loops of this build. The machine must be able to run it.
    static func of(_ choice: KernelChoice) -> ObliqueKernels {
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

    private static let baseline = ObliqueKernels(
        gather: ForestKernels.ProjectionKernel.gather,
        project: ForestKernels.ProjectionKernel.project,
        range: ForestKernels.ProjectionKernel.range, bin: ForestKernels.ProjectionKernel.bin)

    #if arch(x86_64)
        private static let avx2 = ObliqueKernels(
            gather: ForestKernelsAVX2.ProjectionKernel.gather,
            project: ForestKernelsAVX2.ProjectionKernel.project,
            range: ForestKernelsAVX2.ProjectionKernel.range,
            bin: ForestKernelsAVX2.ProjectionKernel.bin)

        private static let avx512 = ObliqueKernels(
            gather: ForestKernelsAVX512.ProjectionKernel.gather,
            project: ForestKernelsAVX512.ProjectionKernel.project,
            range: ForestKernelsAVX512.ProjectionKernel.range,
            bin: ForestKernelsAVX512.ProjectionKernel.bin)
    #endif
}
