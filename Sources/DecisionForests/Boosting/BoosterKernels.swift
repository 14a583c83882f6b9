internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loops of boosting, from the build of `ForestKernels` that this machine runs best.
///
/// What each does stands at its declaration there.
package struct BoosterKernels: Sendable {
    package typealias Cells = UnsafeMutablePointer<Int64>
    package typealias Sums = UnsafeMutablePointer<Double>
    package typealias Floats = UnsafeMutablePointer<Float>

    /// Rows that a packed cell can take.
    static var packedRowsMax: Int { ForestKernels.HistogramKernel.packedRowsMax }

    package let addPacked:
        @Sendable (
            UnsafePointer<UInt64>, Int, UnsafePointer<UInt8>, Int, Cells
        ) -> Void
    package let addWide:
        @Sendable (
            UnsafePointer<UInt64>, Int, UnsafePointer<Int32>, UnsafePointer<Int32>?,
            UnsafePointer<UInt8>, Int, Cells, Int
        ) -> Void
    let spill: @Sendable (UnsafePointer<Int64>, Int, Cells, Int) -> Void
    let merge: @Sendable (UnsafePointer<Int64>, Int, Cells) -> Void
    let subtract: @Sendable (UnsafePointer<Int64>, Int, Cells) -> Void
    let subtractPacked: @Sendable (UnsafePointer<Int64>, Int, Cells, Int) -> Void
    let narrow: @Sendable (Cells, Int, Int) -> Void

    package let divide:
        @Sendable (
            UnsafePointer<UInt64>, Int, UnsafePointer<UInt8>, UnsafePointer<UInt8>,
            UnsafeMutablePointer<UInt64>, UnsafeMutablePointer<UInt64>
        ) -> Int
    let mark:
        @Sendable (
            UnsafePointer<UInt64>, Int, UInt16, UnsafeMutablePointer<UInt16>
        ) -> Void
    let sumLeaves:
        @Sendable (
            UnsafePointer<UInt16>, Int, UnsafePointer<Int32>, UnsafePointer<Int32>?, Cells
        ) -> Void
    let addLeaves: @Sendable (UnsafePointer<UInt16>, Int, UnsafePointer<Double>, Sums) -> Void
    let interleave:
        @Sendable (
            UnsafePointer<UnsafePointer<UInt8>>, Int, UnsafeMutablePointer<UInt64>, Int
        ) -> Void

    package let logistic:
        @Sendable (
            UnsafePointer<Double>, UnsafePointer<Float>, Int, Floats, Floats
        ) -> Void
    let softmaxScale: @Sendable (UnsafePointer<Double>, Int, Int, Int, Floats, Floats) -> Void
    let softmax:
        @Sendable (
            UnsafePointer<Double>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>,
            Float, Int, Floats, Floats
        ) -> Void
    let squared: @Sendable (UnsafePointer<Double>, UnsafePointer<Float>, Int, Floats) -> Void
    let poisson:
        @Sendable (
            UnsafePointer<Double>, UnsafePointer<Float>, Float, Int, Floats, Floats
        ) -> Void
    let multiply: @Sendable (Floats, UnsafePointer<Float>, Int) -> Void
    let greatestMagnitude: @Sendable (UnsafePointer<Float>, Int) -> UInt32
    package let quantise:
        @Sendable (
            UnsafePointer<Float>, Int, Double, UnsafeMutablePointer<Int32>
        ) -> Void
    package let pack:
        @Sendable (
            UnsafePointer<Int32>, UnsafePointer<Int32>?, Int, UInt32, UInt32,
            UnsafeMutablePointer<UInt64>
        ) -> Void
    let sumMagnitudes: @Sendable (UnsafePointer<Int32>, Int) -> Int64

    let sumPacked: @Sendable (UnsafePointer<Int64>, Int, Int64, Cells, Sums, Sums) -> Void
    let sumWide:
        @Sendable (
            UnsafePointer<Int64>, Int, Int, (g: Int64, h: Int64), Sums, Sums
        ) -> Void
    let shrink: @Sendable (Sums, Int, Double) -> Void
    let complement: @Sendable (UnsafePointer<Double>, Int, Double, Sums) -> Void
    let judge:
        @Sendable (
            UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, Int, Double,
            Double,
            Double, Sums
        ) -> Void
    let best: @Sendable (UnsafePointer<Double>, Int) -> Int

    /// The loops of this build. The machine must be able to run it.
    package static func of(_ choice: KernelChoice) -> BoosterKernels {
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

    private static let baseline = BoosterKernels(
        addPacked: ForestKernels.HistogramKernel.addPacked,
        addWide: ForestKernels.HistogramKernel.addWide, spill: ForestKernels.HistogramKernel.spill,
        merge: ForestKernels.HistogramKernel.merge,
        subtract: ForestKernels.HistogramKernel.subtract,
        subtractPacked: ForestKernels.HistogramKernel.subtractPacked,
        narrow: ForestKernels.HistogramKernel.narrow, divide: ForestKernels.PartitionKernel.divide,
        mark: ForestKernels.PartitionKernel.mark,
        sumLeaves: ForestKernels.PartitionKernel.sumLeaves,
        addLeaves: ForestKernels.PartitionKernel.addLeaves,
        interleave: ForestKernels.PartitionKernel.interleave,
        logistic: ForestKernels.GradientKernel.logistic,
        softmaxScale: ForestKernels.GradientKernel.softmaxScale,
        softmax: ForestKernels.GradientKernel.softmax,
        squared: ForestKernels.GradientKernel.squared,
        poisson: ForestKernels.GradientKernel.poisson,
        multiply: ForestKernels.GradientKernel.multiply,
        greatestMagnitude: ForestKernels.GradientKernel.greatestMagnitude,
        quantise: ForestKernels.GradientKernel.quantise, pack: ForestKernels.GradientKernel.pack,
        sumMagnitudes: ForestKernels.GradientKernel.sumMagnitudes,
        sumPacked: ForestKernels.ScanKernel.sumPacked, sumWide: ForestKernels.ScanKernel.sumWide,
        shrink: ForestKernels.ScanKernel.shrink, complement: ForestKernels.ScanKernel.complement,
        judge: ForestKernels.ScanKernel.judge, best: ForestKernels.ScanKernel.best)

    #if arch(x86_64)
        private static let avx2 = BoosterKernels(
            addPacked: ForestKernelsAVX2.HistogramKernel.addPacked,
            addWide: ForestKernelsAVX2.HistogramKernel.addWide,
            spill: ForestKernelsAVX2.HistogramKernel.spill,
            merge: ForestKernelsAVX2.HistogramKernel.merge,
            subtract: ForestKernelsAVX2.HistogramKernel.subtract,
            subtractPacked: ForestKernelsAVX2.HistogramKernel.subtractPacked,
            narrow: ForestKernelsAVX2.HistogramKernel.narrow,
            divide: ForestKernelsAVX2.PartitionKernel.divide,
            mark: ForestKernelsAVX2.PartitionKernel.mark,
            sumLeaves: ForestKernelsAVX2.PartitionKernel.sumLeaves,
            addLeaves: ForestKernelsAVX2.PartitionKernel.addLeaves,
            interleave: ForestKernelsAVX2.PartitionKernel.interleave,
            logistic: ForestKernelsAVX2.GradientKernel.logistic,
            softmaxScale: ForestKernelsAVX2.GradientKernel.softmaxScale,
            softmax: ForestKernelsAVX2.GradientKernel.softmax,
            squared: ForestKernelsAVX2.GradientKernel.squared,
            poisson: ForestKernelsAVX2.GradientKernel.poisson,
            multiply: ForestKernelsAVX2.GradientKernel.multiply,
            greatestMagnitude: ForestKernelsAVX2.GradientKernel.greatestMagnitude,
            quantise: ForestKernelsAVX2.GradientKernel.quantise,
            pack: ForestKernelsAVX2.GradientKernel.pack,
            sumMagnitudes: ForestKernelsAVX2.GradientKernel.sumMagnitudes,
            sumPacked: ForestKernelsAVX2.ScanKernel.sumPacked,
            sumWide: ForestKernelsAVX2.ScanKernel.sumWide,
            shrink: ForestKernelsAVX2.ScanKernel.shrink,
            complement: ForestKernelsAVX2.ScanKernel.complement,
            judge: ForestKernelsAVX2.ScanKernel.judge, best: ForestKernelsAVX2.ScanKernel.best)

        private static let avx512 = BoosterKernels(
            addPacked: ForestKernelsAVX512.HistogramKernel.addPacked,
            addWide: ForestKernelsAVX512.HistogramKernel.addWide,
            spill: ForestKernelsAVX512.HistogramKernel.spill,
            merge: ForestKernelsAVX512.HistogramKernel.merge,
            subtract: ForestKernelsAVX512.HistogramKernel.subtract,
            subtractPacked: ForestKernelsAVX512.HistogramKernel.subtractPacked,
            narrow: ForestKernelsAVX512.HistogramKernel.narrow,
            divide: ForestKernelsAVX512.PartitionKernel.divide,
            mark: ForestKernelsAVX512.PartitionKernel.mark,
            sumLeaves: ForestKernelsAVX512.PartitionKernel.sumLeaves,
            addLeaves: ForestKernelsAVX512.PartitionKernel.addLeaves,
            interleave: ForestKernelsAVX512.PartitionKernel.interleave,
            logistic: ForestKernelsAVX512.GradientKernel.logistic,
            softmaxScale: ForestKernelsAVX512.GradientKernel.softmaxScale,
            softmax: ForestKernelsAVX512.GradientKernel.softmax,
            squared: ForestKernelsAVX512.GradientKernel.squared,
            poisson: ForestKernelsAVX512.GradientKernel.poisson,
            multiply: ForestKernelsAVX512.GradientKernel.multiply,
            greatestMagnitude: ForestKernelsAVX512.GradientKernel.greatestMagnitude,
            quantise: ForestKernelsAVX512.GradientKernel.quantise,
            pack: ForestKernelsAVX512.GradientKernel.pack,
            sumMagnitudes: ForestKernelsAVX512.GradientKernel.sumMagnitudes,
            sumPacked: ForestKernelsAVX512.ScanKernel.sumPacked,
            sumWide: ForestKernelsAVX512.ScanKernel.sumWide,
            shrink: ForestKernelsAVX512.ScanKernel.shrink,
            complement: ForestKernelsAVX512.ScanKernel.complement,
            judge: ForestKernelsAVX512.ScanKernel.judge, best: ForestKernelsAVX512.ScanKernel.best)
    #endif
}
