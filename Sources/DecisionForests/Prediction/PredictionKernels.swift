internal import ForestKernels

#if arch(x86_64)
    internal import ForestKernelsAVX2
    internal import ForestKernelsAVX512
#endif

/// The hot loops of prediction, from one build of `ForestKernels`. What each does stands at its
/// declaration there. Nodes cross as raw pointers: each build has types of its own, all laid out
/// alike.
struct PredictionKernels: Sendable {
    typealias Codes = UnsafePointer<UInt8>
    typealias Floats = UnsafePointer<Float>
    typealias Keys = UnsafePointer<UInt32>
    typealias Numbers = UnsafePointer<Int32>
    typealias Sums = UnsafeMutablePointer<Double>
    typealias Leaves = UnsafeMutablePointer<Int32>

    let findLeaves: @Sendable (UnsafeRawPointer, Int, Codes, UnsafeMutablePointer<UInt8>) -> Void
    let addValues: @Sendable (Codes, Floats, Sums, Int) -> Void
    let addVectors: @Sendable (Codes, Floats, Int, Sums) -> Void
    let code:
        @Sendable (
            Floats, Int, Int, Floats, Int, UnsafeMutablePointer<UInt8>,
            UnsafeMutablePointer<UInt8>
        ) -> Void
    let codeRow:
        @Sendable (Floats, Numbers, Int, Floats, Numbers, UnsafeMutablePointer<Int8>) -> Bool
    let addBits:
        @Sendable (
            Numbers, Int, Codes, Codes, Codes?, UnsafePointer<Int8>, Floats, Numbers,
            UnsafeMutablePointer<UInt8>, Int, Sums, Int, Int
        ) -> Void
    let walkTrees:
        @Sendable (UnsafeRawPointer, UnsafePointer<Int>, Int, Int, Keys, Int, Leaves) -> Void
    let walkRows:
        @Sendable (
            UnsafeRawPointer, Int, Keys, Int, Int, Int, UnsafeRawPointer, Int, Leaves
        ) -> Void

    /// The loops of this build. The machine must be able to run it.
    static func of(_ choice: KernelChoice) -> PredictionKernels {
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

    private static let baseline = PredictionKernels(
        findLeaves: {
            ForestKernels.BlockKernel.findLeaves(
                $0.assumingMemoryBound(to: ForestKernels.BlockKernel.Node.self), count: $1,
                codes: $2, answers: $3)
        }, addValues: ForestKernels.BlockKernel.addValues,
        addVectors: ForestKernels.BlockKernel.addVectors, code: ForestKernels.BlockKernel.code,
        codeRow: ForestKernels.BlockKernel.codeRow,
        addBits: ForestKernels.LeafBitsKernel.addValues,
        walkTrees: {
            ForestKernels.WalkKernel.walkTrees(
                $0.assumingMemoryBound(to: ForestKernels.WalkKernel.Node.self), roots: $1,
                count: $2, depth: $3, keys: $4, slotBits: $5, to: $6)
        },
        walkRows: {
            ForestKernels.WalkKernel.walkRows(
                $0.assumingMemoryBound(to: ForestKernels.WalkKernel.Node.self), depth: $1,
                keys: $2, slotCount: $3, slotBits: $4, groupCount: $5, ahead: $6,
                aheadSize: $7, to: $8)
        })

    #if arch(x86_64)
        private static let avx2 = PredictionKernels(
            findLeaves: {
                ForestKernelsAVX2.BlockKernel.findLeaves(
                    $0.assumingMemoryBound(to: ForestKernelsAVX2.BlockKernel.Node.self), count: $1,
                    codes: $2, answers: $3)
            }, addValues: ForestKernelsAVX2.BlockKernel.addValues,
            addVectors: ForestKernelsAVX2.BlockKernel.addVectors,
            code: ForestKernelsAVX2.BlockKernel.code,
            codeRow: ForestKernelsAVX2.BlockKernel.codeRow,
            addBits: ForestKernelsAVX2.LeafBitsKernel.addValues,
            walkTrees: {
                ForestKernelsAVX2.WalkKernel.walkTrees(
                    $0.assumingMemoryBound(to: ForestKernelsAVX2.WalkKernel.Node.self), roots: $1,
                    count: $2, depth: $3, keys: $4, slotBits: $5, to: $6)
            },
            walkRows: {
                ForestKernelsAVX2.WalkKernel.walkRows(
                    $0.assumingMemoryBound(to: ForestKernelsAVX2.WalkKernel.Node.self), depth: $1,
                    keys: $2, slotCount: $3, slotBits: $4, groupCount: $5, ahead: $6,
                    aheadSize: $7, to: $8)
            })

        private static let avx512 = PredictionKernels(
            findLeaves: {
                ForestKernelsAVX512.BlockKernel.findLeaves(
                    $0.assumingMemoryBound(to: ForestKernelsAVX512.BlockKernel.Node.self),
                    count: $1,
                    codes: $2, answers: $3)
            }, addValues: ForestKernelsAVX512.BlockKernel.addValues,
            addVectors: ForestKernelsAVX512.BlockKernel.addVectors,
            code: ForestKernelsAVX512.BlockKernel.code,
            codeRow: ForestKernelsAVX512.BlockKernel.codeRow,
            addBits: ForestKernelsAVX512.LeafBitsKernel.addValues,
            walkTrees: {
                ForestKernelsAVX512.WalkKernel.walkTrees(
                    $0.assumingMemoryBound(to: ForestKernelsAVX512.WalkKernel.Node.self), roots: $1,
                    count: $2, depth: $3, keys: $4, slotBits: $5, to: $6)
            },
            walkRows: {
                ForestKernelsAVX512.WalkKernel.walkRows(
                    $0.assumingMemoryBound(to: ForestKernelsAVX512.WalkKernel.Node.self), depth: $1,
                    keys: $2, slotCount: $3, slotBits: $4, groupCount: $5, ahead: $6,
                    aheadSize: $7, to: $8)
            })
    #endif
}
