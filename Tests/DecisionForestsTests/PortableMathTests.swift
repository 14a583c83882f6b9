import DecisionForests
import Foundation
import Testing

@Suite("Our logarithm, exponential and normal deviates, and chance")
struct PortableMathTests {
    @Test("They agree with the C library's within rounding")
    func agree() {
        let chance = Chance(seed: 1)
        for turn in 0..<20_000 {
            let x = (chance.unit(UInt64(turn)) - 0.5) * 1_400
            let mine = PortableMath.exp(x)
            let other = Foundation.exp(x)
            #expect(abs(mine - other) <= 4 * other.ulp, "exp \(x)")
            let y = Double(bitPattern: chance.bits(UInt64(turn)) & 0x7FEF_FFFF_FFFF_FFFF)
            let log = Foundation.log(y)
            #expect(abs(PortableMath.log(y) - log) <= 4 * max(abs(log), 1).ulp, "log \(y)")
        }
    }

    @Test("Their edges are the usual ones")
    func edges() {
        #expect(PortableMath.log(0) == -.infinity)
        #expect(PortableMath.log(-1).isNaN)
        #expect(PortableMath.log(1) == 0)
        #expect(PortableMath.log(.infinity) == .infinity)
        #expect(PortableMath.exp(-.infinity) == 0)
        #expect(PortableMath.exp(.infinity) == .infinity)
        #expect(PortableMath.exp(0) == 1)
        #expect(PortableMath.exp(.nan).isNaN)
        #expect(PortableMath.logistic(-1_000) == 0)
        #expect(PortableMath.logistic(1_000) == 1)
    }

    @Test("The normal quantile at points of the tables")
    func quantile() {
        // Abramowitz and Stegun, tables 26.1 and 26.5.
        for (p, x) in [
            (0.5, 0), (0.975, 1.959_963_984_540_054), (0.841_344_746_068_543, 1),
            (0.998_650_101_968_370, 3), (1e-10, -6.361_340_902_404_056),
            (1e-300, -37.047_096_299_361_2),
        ] {
            #expect(abs(PortableMath.normalQuantile(p) - x) < 1e-11, "\(p)")
        }
    }

    @Test("Chance is uniform, and its children are strangers")
    func chance() {
        let chance = Chance(seed: 3)
        let counts = (0..<60_000).reduce(into: [Int](repeating: 0, count: 6)) {
            $0[chance.index(below: 6, UInt64($1))] += 1
        }
        // Six standard deviations of a count.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 550 })
        let normals = (0..<40_000).map { chance.normal(UInt64($0)) }
        let mean = normals.reduce(0, +) / 40_000
        let variance = normals.reduce(0) { $0 + $1 * $1 } / 40_000
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.04)
        #expect(chance.child(1).bits(0) != chance.child(2).bits(0))
        #expect(Chance(seed: 3).bits(5) == chance.bits(5))
        #expect(chance.permutation(50).sorted() == Array(0..<50))
    }
}
