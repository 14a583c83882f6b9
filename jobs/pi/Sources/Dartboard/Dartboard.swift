/// Throws darts at a square and counts those that hit the circle inside.
public struct Dartboard: Sendable {
    private var generator: DartGenerator

    /// - Parameter seed: the same seed throws the same darts.
    public init(seed: UInt64) { generator = DartGenerator(state: seed) }

    /// How many of `count` darts hit the circle.
    public mutating func hits(of count: Int) -> Int {
        (0..<count).count { _ in
            let x = Double.random(in: 0...1, using: &generator)
            let y = Double.random(in: 0...1, using: &generator)
            return x * x + y * y <= 1
        }
    }
}
