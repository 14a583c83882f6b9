/// The sets of categories that a tree's categorical nodes send left.
///
/// Set s is a bit map over level codes in the words `starts[s] ..< starts[s + 1]`: the bit of code
/// c is bit `c % 32` of word `c / 32`. A code beyond its words is in no set.
public struct CategorySets: Sendable, Hashable {
    /// One more than there are sets; the first is 0, none is less than the one before.
    public package(set) var starts: [Int32]
    /// All sets' words.
    public package(set) var words: [UInt32]

    /// No set.
    public static let none = CategorySets(starts: [0], words: [])

    package init(starts: [Int32], words: [UInt32]) {
        self.starts = starts
        self.words = words
    }

    /// Sets.
    public var count: Int { starts.count - 1 }

    /// Adds the set of these codes and returns its number. The map ends with the greatest of them.
    package mutating func append(_ codes: some Sequence<Int>) -> Int32 {
        append(codes, levelCount: (codes.max() ?? -1) + 1)
    }

    /// Adds the set of these codes, each below `levelCount`, and returns its number. The levels
    /// that are not among them are in the map too, as no members.
    package mutating func append(_ codes: some Sequence<Int>, levelCount: Int) -> Int32 {
        var set = [UInt32](repeating: 0, count: (levelCount + 31) / 32)
        for code in codes { set[code / 32] |= 1 << UInt32(code % 32) }
        words += set
        starts.append(Int32(words.count))
        return Int32(count - 1)
    }

    /// Whether a set has this code: nil if it is no code of its map (missing, negative, beyond).
    @inline(__always)
    static func contains(
        _ value: Float, _ words: UnsafePointer<UInt32>, _ range: Range<Int>
    ) -> Bool? {
        // NaN fails both comparisons; what passes fits an Int.
        guard value >= 0, value < Float(range.count * 32) else { return nil }
        let code = Int(value)
        return words[range.lowerBound + code / 32] >> UInt32(code % 32) & 1 == 1
    }
}

/// The weighted sums of features that a tree's oblique nodes compare with their thresholds.
///
/// Projection p has the terms `starts[p] ..< starts[p + 1]`; its value is Σ Double(weight) ×
/// Double(feature's value) in their order, compared as Double.
public struct Projections: Sendable, Hashable {
    /// One more than there are projections; the first is 0, each is greater than the one before.
    public package(set) var starts: [Int32]
    /// Each term's feature.
    public package(set) var features: [Int32]
    /// Each term's weight; finite.
    public package(set) var weights: [Float]

    /// No projection.
    public static let none = Projections(starts: [0], features: [], weights: [])

    package init(starts: [Int32], features: [Int32], weights: [Float]) {
        self.starts = starts
        self.features = features
        self.weights = weights
    }

    /// Projections.
    public var count: Int { starts.count - 1 }

    /// Adds a projection and returns its number.
    package mutating func append(features: [Int32], weights: [Float]) -> Int32 {
        self.features += features
        self.weights += weights
        starts.append(Int32(self.features.count))
        return Int32(count - 1)
    }
}

/// What a linear model, or the linear part of an ensemble, adds to the scores.
public struct LinearTerm: Sendable, Hashable {
    /// The coefficient of feature f for output k at `k * featureCount + f`; finite.
    public let coefficients: [Double]

    package init(coefficients: [Double]) {
        self.coefficients = coefficients
    }
}
