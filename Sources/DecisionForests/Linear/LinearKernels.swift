internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loops of linear learners, from the build of `ForestKernels` that this machine runs best.
///
/// What each does stands at its declaration in `LinearKernel`.
struct LinearKernels: Sendable {
    typealias Floats = UnsafePointer<Float>
    typealias Doubles = UnsafePointer<Double>
    typealias Sums = UnsafeMutablePointer<Double>
    typealias Lanes = SIMD8<Double>

    let standardise: @Sendable (Floats, Int, Double, Double, Sums) -> Void
    let indicate: @Sendable (Floats, Int, Float, Double, Double, Sums) -> Void
    let addScaled: @Sendable (Doubles, Int, Double, Sums) -> Void
    let multiply: @Sendable (Sums, Int, Doubles) -> Void
    let addProducts:
        @Sendable (
            UnsafePointer<Lanes>, UnsafePointer<Lanes>, Int, UnsafeMutablePointer<Lanes>
        ) -> Void
    let judgeLogistic: @Sendable (Sums, Floats, Doubles, Int, Sums) -> Void
    let judgeSoftmax:
        @Sendable (
            Sums, Int, Int, UnsafePointer<Int32>, Doubles, Int, Sums, Sums, Sums
        ) -> Void

    /// The loops of this build. The machine must be able to run it.
    static func of(_ choice: KernelChoice) -> LinearKernels {
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

    private static let baseline = LinearKernels(
        standardise: ForestKernels.LinearKernel.standardise,
        indicate: ForestKernels.LinearKernel.indicate,
        addScaled: ForestKernels.LinearKernel.addScaled,
        multiply: ForestKernels.LinearKernel.multiply,
        addProducts: ForestKernels.LinearKernel.addProducts,
        judgeLogistic: ForestKernels.LinearKernel.judgeLogistic,
        judgeSoftmax: ForestKernels.LinearKernel.judgeSoftmax)

    #if arch(x86_64)
        private static let avx2 = LinearKernels(
            standardise: ForestKernelsAVX2.LinearKernel.standardise,
            indicate: ForestKernelsAVX2.LinearKernel.indicate,
            addScaled: ForestKernelsAVX2.LinearKernel.addScaled,
            multiply: ForestKernelsAVX2.LinearKernel.multiply,
            addProducts: ForestKernelsAVX2.LinearKernel.addProducts,
            judgeLogistic: ForestKernelsAVX2.LinearKernel.judgeLogistic,
            judgeSoftmax: ForestKernelsAVX2.LinearKernel.judgeSoftmax)

        private static let avx512 = LinearKernels(
            standardise: ForestKernelsAVX512.LinearKernel.standardise,
            indicate: ForestKernelsAVX512.LinearKernel.indicate,
            addScaled: ForestKernelsAVX512.LinearKernel.addScaled,
            multiply: ForestKernelsAVX512.LinearKernel.multiply,
            addProducts: ForestKernelsAVX512.LinearKernel.addProducts,
            judgeLogistic: ForestKernelsAVX512.LinearKernel.judgeLogistic,
            judgeSoftmax: ForestKernelsAVX512.LinearKernel.judgeSoftmax)
    #endif
}
