/// Chance as a pure function: a value depends on a key and a counter, never on a stream's position,
/// so any thread or machine can draw any number and gets the same one.
///
/// The output function is SplitMix64's (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014): a Weyl sequence through Stafford's mixer 13.
package struct Chance: Sendable, Hashable {
    private let key: UInt64

    /// The chance of everything that this seed decides.
    package init(seed: UInt64) {
        key = Self.mix(seed &+ 0x6A09_E667_F3BC_C909)
    }

    private init(key: UInt64) {
        self.key = key
    }

    /// Independent chance for one part of the work: a tree, a node, a column.
    package func child(_ tag: UInt64) -> Chance {
        Chance(key: Self.mix(key ^ Self.mix(tag &+ 0xBB67_AE85_84CA_A73B)))
    }

    /// 64 uniform bits.
    package func bits(_ counter: UInt64) -> UInt64 {
        Self.mix(key &+ (counter &+ 1) &* 0x9E37_79B9_7F4A_7C15)
    }

    /// A uniform index in `0 ..< bound`. The bias is below `bound / 2^64`.
    package func index(below bound: Int, _ counter: UInt64) -> Int {
        Int(bits(counter).multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Uniform in 0 ..< 1 with 53 bits.
    package func unit(_ counter: UInt64) -> Double {
        Double(bits(counter) >> 11) * 0x1p-53
    }

    /// A standard normal deviate, by inversion.
    package func normal(_ counter: UInt64) -> Double {
        PortableMath.normalQuantile((Double(bits(counter) >> 11) + 0.5) * 0x1p-53)
    }

    /// `0 ..< count` in an order that this chance decides (Fisher and Yates).
    package func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, index(below: last + 1, UInt64(last)))
        }
        return order
    }

    private static func mix(_ input: UInt64) -> UInt64 {
        var bits = input
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
