/// What the kernels' benchmark runs on: 400,000 rows of 32 features, and the half of them that a
/// deep node might have.
final class KernelRows {
    static let rowCount = 400_000
    static let featureCount = 32
    static let plane = featureCount * 256
    /// Rows of a chunk, which stays in the first cache, and how often one measurement goes over it.
    static let chunk = 2048
    static let repeats = 500

    /// All rows, and about every eighth.
    let inOrder: [UInt64]
    let some: [UInt64]
    let tile: [UInt8]
    let column: [UInt8]
    let goesLeft: [UInt8]
    let gradients: [Int32]
    let hessians: [Int32]
    let scores: [Double]
    let targets: [Float]
    let cells: UnsafeMutablePointer<Int64>
    let divided: UnsafeMutablePointer<UInt64>
    let floats: UnsafeMutablePointer<Float>
    let integers: UnsafeMutablePointer<Int32>

    init() {
        var state: UInt64 = 1
        func next() -> UInt64 {
            // Knuth's MMIX generator; the upper bits are good enough for bins.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 32
        }
        inOrder = (0..<Self.rowCount).map { UInt64($0) << 32 | next() & 0xFFFF_7FFF }
        some = inOrder.filter { _ in next() & 7 == 0 }
        tile = (0..<Self.rowCount * Self.featureCount).map { _ in UInt8(next() & 255) }
        column = (0..<Self.rowCount).map { _ in UInt8(next() & 255) }
        goesLeft = (0..<256).map { $0 < 128 ? 1 : 0 }
        gradients = (0..<Self.rowCount).map { _ in Int32(next() & 0xFFFF) - 0x8000 }
        hessians = (0..<Self.rowCount).map { _ in Int32(next() & 0xFFFF) }
        scores = (0..<Self.chunk).map { _ in Double(next() & 0xFFFF) / 8192 - 4 }
        targets = (0..<Self.chunk).map { _ in Float(next() & 1) }
        cells = .allocate(capacity: 2 * Self.plane)
        divided = .allocate(capacity: Self.rowCount)
        floats = .allocate(capacity: 2 * Self.chunk)
        integers = .allocate(capacity: Self.chunk)
        cells.initialize(repeating: 0, count: 2 * Self.plane)
        divided.initialize(repeating: 0, count: Self.rowCount)
        floats.initialize(repeating: 0, count: 2 * Self.chunk)
        integers.initialize(repeating: 0, count: Self.chunk)
    }

    deinit {
        cells.deallocate()
        divided.deallocate()
        floats.deallocate()
        integers.deallocate()
    }

    /// A checksum of the cells, which are empty afterwards: the cost is the same for both sides,
    /// and small beside a histogram's.
    static func sum(_ cells: UnsafeMutablePointer<Int64>) -> UInt64 {
        var sum: UInt64 = 0
        for index in 0..<2 * plane { sum = sum &* 31 &+ UInt64(bitPattern: cells[index]) }
        cells.update(repeating: 0, count: 2 * plane)
        return sum
    }

    static func sum(_ values: UnsafeMutablePointer<Float>, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 &* 31 &+ UInt64(values[$1].bitPattern) }
    }
}
