internal import CProcessor
import Synchronization

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

    /// What this process uses: the widest, unless `use` said otherwise.
    package static var current: KernelChoice {
        let order = chosen.load(ordering: .relaxed)
        return allCases.first { $0.order == order } ?? widest
    }

    private static let chosen = Atomic<Int>(-1)

    /// Makes the process use this build from now on; meant for its start. Throws if there is no
    /// such build or this machine cannot run it.
    package static func use(named name: String) throws(ParameterError) {
        guard let choice = KernelChoice(rawValue: name), choice <= widest else {
            throw ParameterError(
                "MANTA_KERNELS", "'\(name.prefix(40))'",
                allowed: "one of those this machine can run: "
                    + available.map(\.rawValue).joined(separator: ", "))
        }
        chosen.store(choice.order, ordering: .relaxed)
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
