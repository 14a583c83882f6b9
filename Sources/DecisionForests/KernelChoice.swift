internal import CProcessor

/// Which build of the hot loops runs. All give the same bits; they differ in speed only.
///
/// The loops live in a target of their own that is compiled three times from the same sources, for
/// what every processor has, for AVX2 and for AVX-512. Nothing else is compiled for the wider ones:
/// shared code, such as a generic function that two targets specialise, would otherwise crash older
/// processors.
package enum KernelChoice: String, Sendable, CaseIterable, Comparable {
    /// What every processor of the architecture has.
    case baseline
    /// x86-64-v3.
    case avx2
    /// x86-64-v4.
    case avx512

    /// The widest that this machine has.
    package static let widest: KernelChoice =
        switch manta_processor_level() {
        case 2: .avx512
        case 1: .avx2
        default: .baseline
        }

    /// Those that this machine can run.
    package static var available: [KernelChoice] { allCases.filter { $0 <= widest } }

    /// The narrower one is less.
    package static func < (left: KernelChoice, right: KernelChoice) -> Bool {
        left.order < right.order
    }

    private var order: Int {
        switch self {
        case .baseline: 0
        case .avx2: 1
        case .avx512: 2
        }
    }
}
