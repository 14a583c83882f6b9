import Testing

@testable import DecisionForests

@Suite("Every build of the histogram and partition loops does what a plain loop does")
struct HistogramKernelTests {
    /// Rows of a tile, some of them in a node, with values up to the ends of their ranges.
    private struct Node {
        static let rowCount = 700
        let features: Int
        let tile: [UInt8]
        let entries: [UInt64]
        let gradients: [Int32]
        let hessians: [Int32]

        /// Bytes of a row in the tile.
        var rowSize: Int { (features + 7) / 8 * 8 }
        var plane: Int { rowSize * 256 }

        init(features: Int) {
            self.features = features
            let rowSize = (features + 7) / 8 * 8
            let chance = Chance(seed: UInt64(features))
            // Every third row falls into the first and the last bin.
            tile = (0..<Self.rowCount * rowSize).map { place -> UInt8 in
                let bits = chance.bits(UInt64(place))
                let isAtAnEnd = place / rowSize % 3 == 0
                guard isAtAnEnd else { return UInt8(bits & 255) }
                return bits & 1 == 0 ? 0 : 255
            }
            let greatest: Int32 = 1 << 30
            gradients = (0..<Self.rowCount).map { row -> Int32 in
                guard row % 50 != 0 else { return row % 100 == 0 ? greatest : -greatest }
                let bits = chance.bits(UInt64(1_000_000 + row)) >> 34
                return Int32(truncatingIfNeeded: bits) - (1 << 29)
            }
            hessians = (0..<Self.rowCount).map { row -> Int32 in
                guard row % 70 != 0 else { return greatest }
                return Int32(truncatingIfNeeded: chance.bits(UInt64(2_000_000 + row)) >> 34)
            }
            let rows = (0..<Self.rowCount).filter { $0 % 4 != 1 }
            entries = rows.reversed().map { row -> UInt64 in
                let g: Int = row % 9 == 0 ? -32_767 : row * 89 % 32_767
                let h: Int = row % 11 == 0 ? 32_767 : row * 37 % 32_767
                let low = UInt64(UInt16(truncatingIfNeeded: g)) << 16 | UInt64(h)
                return UInt64(row) << 32 | low
            }
        }

        /// Σ g and Σ h per cell, g in the first plane.
        func sums(_ values: (_ entry: UInt64, _ row: Int) -> (g: Int64, h: Int64)) -> [Int64] {
            var sums = [Int64](repeating: 0, count: 2 * plane)
            for entry in entries {
                let row = Int(entry >> 32)
                let (g, h) = values(entry, row)
                for feature in 0..<features {
                    let cell = feature * 256 + Int(tile[row * rowSize + feature])
                    sums[cell] += g
                    sums[cell + plane] += h
                }
            }
            return sums
        }
    }

    @Test(
        "A wide histogram, with hessians and where all are 1",
        arguments: KernelChoice.available, 1...32)
    func wide(_ choice: KernelChoice, features: Int) {
        let node = Node(features: features)
        let kernels = BoosterKernels.of(choice)
        for hasHessians in [true, false] {
            // Cells that already hold something keep it.
            var cells = [Int64](repeating: 5, count: 2 * node.plane)
            node.hessians.withUnsafeBufferPointer { hessians in
                kernels.addWide(
                    node.entries, node.entries.count, node.gradients,
                    hasHessians ? hessians.baseAddress : nil, node.tile, features, &cells,
                    node.plane)
            }
            let expected = node.sums { _, row in
                (Int64(node.gradients[row]), hasHessians ? Int64(node.hessians[row]) : 1)
            }
            #expect(cells == expected.map { $0 + 5 })
        }
    }

    @Test("A packed histogram", arguments: KernelChoice.available, 1...32)
    func packed(_ choice: KernelChoice, features: Int) {
        let node = Node(features: features)
        var cells = [Int64](repeating: 0, count: node.plane)
        BoosterKernels.of(choice).addPacked(
            node.entries, node.entries.count, node.tile, features, &cells)
        let expected = node.sums { entry, _ in
            (Int64(Int16(truncatingIfNeeded: entry >> 16)), Int64(entry & 0xFFFF))
        }
        for cell in 0..<features * 256 {
            #expect(cells[cell] == expected[cell] << 32 + expected[cell + node.plane])
        }
    }

    @Test("Spilling, subtracting and narrowing undo each other", arguments: KernelChoice.available)
    func conversions(_ choice: KernelChoice) {
        let node = Node(features: 16)
        let (kernels, plane) = (BoosterKernels.of(choice), node.plane)
        var packed = [Int64](repeating: 0, count: plane)
        kernels.addPacked(node.entries, node.entries.count, node.tile, 16, &packed)
        var wide = [Int64](repeating: 0, count: 2 * plane)
        kernels.spill(packed, plane, &wide, plane)
        var narrowed = wide
        kernels.narrow(&narrowed, plane, plane)
        #expect(Array(narrowed[..<plane]) == packed)
        kernels.subtractPacked(packed, plane, &wide, plane)
        #expect(wide.allSatisfy { $0 == 0 })
        kernels.subtract(packed, plane, &narrowed)
        #expect(narrowed[..<plane].allSatisfy { $0 == 0 })
    }

    @Test("Rows go to their side, none is lost", arguments: KernelChoice.available)
    func divide(_ choice: KernelChoice) {
        let node = Node(features: 8)
        let column = (0..<Node.rowCount).map { node.tile[$0 * 8 + 3] }
        let goesLeft = (0..<256).map { UInt8($0 % 3 == 0 ? 1 : 0) }
        let count = node.entries.count
        var target = [UInt64](repeating: 0, count: count)
        let left = target.withUnsafeMutableBufferPointer { target in
            target.baseAddress.map {
                BoosterKernels.of(choice).divide(
                    node.entries, count, column, goesLeft, $0, $0 + (count - 1))
            }
        }
        let isLeft = { (entry: UInt64) in goesLeft[Int(column[Int(entry >> 32)])] == 1 }
        let expected =
            node.entries.filter(isLeft) + node.entries.filter { !isLeft($0) }.reversed()
        #expect(target == expected)
        #expect(left == node.entries.filter(isLeft).count)
    }
}
