/// Labelled rows made by rule, with the parameters, defaults and construction of scikit-learn's
/// `make_classification` (Guyon, "Design of experiments for the NIPS 2003 variable selection
/// benchmark"): normal clusters around the corners of a hypercube, each sheared by its own random
/// matrix; mixtures and copies of those features; noise; some labels flipped; all shuffled.
///
/// The numbers are not scikit-learn's own: chance comes from a counter-based hash and normal
/// deviates from a portable inversion, so the rows are the same on every machine, in any order.
///
/// - Parameters:
///   - samples: Rows.
///   - features: Columns; those beyond the informative, redundant and repeated ones are noise.
///   - informative: Columns that the clusters live in.
///   - redundant: Random mixtures of informative columns.
///   - repeated: Copies of informative and redundant columns.
///   - classes: Classes, numbered from 0.
///   - clustersPerClass: Clusters of each class.
///   - weights: Share of each class, or of all but the last; nil for equal shares.
///   - flipY: Share of rows whose class is drawn again.
///   - classSeparation: Half the hypercube's side.
///   - hypercube: Whether the clusters stand at its corners, or of a random box's.
///   - shift: Added to every value; nil for a random shift per column.
///   - scale: Multiplied with every value after the shift; nil for a random scale per column.
///   - shuffle: Whether rows and columns are put in random order.
///   - seed: Decides everything.
public func makeClassification(
    samples: Int = 100, features: Int = 20, informative: Int = 2, redundant: Int = 2,
    repeated: Int = 0, classes: Int = 2, clustersPerClass: Int = 2, weights: [Double]? = nil,
    flipY: Double = 0.01, classSeparation: Double = 1, hypercube: Bool = true,
    shift: Double? = 0, scale: Double? = 1, shuffle: Bool = true, seed: UInt64 = 0
) throws(ParameterError) -> Dataset {
    let plan = try SyntheticClassification(
        samples: samples, features: features, informative: informative, redundant: redundant,
        repeated: repeated, classes: classes, clustersPerClass: clustersPerClass, weights: weights,
        flipY: flipY, classSeparation: classSeparation, hypercube: hypercube, shift: shift,
        scale: scale, shuffle: shuffle, chance: Chance(seed: seed))
    return try plan.dataset()
}

/// The checked parameters of `makeClassification` and the steps of its construction.
struct SyntheticClassification {
    let samples: Int
    let features: Int
    let informative: Int
    let redundant: Int
    let repeated: Int
    let classes: Int
    let clusterCount: Int
    /// One share per class.
    let weights: [Double]
    let flipY: Double
    let classSeparation: Double
    let hypercube: Bool
    let shift: Double?
    let scale: Double?
    let shuffle: Bool
    let chance: Chance

    /// Each step draws from chance of its own.
    private enum Step: UInt64 {
        case corners = 1, boxRows, boxColumns, deviates, shear, mixture, copies, noise, flips
        case flippedLabels, shifts, scales, rowOrder, columnOrder
    }

    init(
        samples: Int, features: Int, informative: Int, redundant: Int, repeated: Int, classes: Int,
        clustersPerClass: Int, weights: [Double]?, flipY: Double, classSeparation: Double,
        hypercube: Bool, shift: Double?, scale: Double?, shuffle: Bool, chance: Chance
    ) throws(ParameterError) {
        try ParameterError.check("samples", samples, isIn: 1...Dataset.rowCountMax)
        try ParameterError.check("features", features, isIn: 1...TreeEnsemble.widthMax)
        try ParameterError.check("informative", informative, isIn: 1...features)
        try ParameterError.check("redundant", redundant, isIn: 0...features - informative)
        try ParameterError.check("repeated", repeated, isIn: 0...features - informative - redundant)
        try ParameterError.check("classes", classes, isIn: 1...Dataset.classCountMax)
        try ParameterError.check("clustersPerClass", clustersPerClass, isIn: 1...1_000_000)
        try ParameterError.check("flipY", flipY, isIn: 0...1)
        try ParameterError.check("classSeparation", classSeparation, isIn: -1e30...1e30)
        try ParameterError.check("shift", shift ?? 0, isIn: -1e30...1e30)
        try ParameterError.check("scale", scale ?? 1, isIn: -1e30...1e30)
        let clusterCount = classes * clustersPerClass
        try ParameterError.check("classes × clustersPerClass", clusterCount, isIn: 1...1_000_000)
        guard informative >= 40 || clusterCount <= 1 << informative else {
            throw ParameterError(
                "informative", "\(informative)",
                allowed: "so large that 2^informative ≥ classes × clustersPerClass")
        }
        let shares = weights ?? Array(repeating: 1 / Double(classes), count: classes)
        guard [classes, classes - 1].contains(shares.count), shares.allSatisfy({ $0 >= 0 }),
            shares.reduce(0, +) <= 1 + 1e-9
        else {
            throw ParameterError(
                "weights", "\(shares)", allowed: "one share per class (the last may be left out)")
        }
        self.weights =
            shares.count == classes ? shares : shares + [1 - shares.reduce(0, +)]
        (self.samples, self.features, self.informative) = (samples, features, informative)
        (self.redundant, self.repeated, self.classes) = (redundant, repeated, classes)
        (self.clusterCount, self.flipY, self.hypercube) = (clusterCount, flipY, hypercube)
        self.classSeparation = classSeparation
        (self.shift, self.scale, self.shuffle, self.chance) = (shift, scale, shuffle, chance)
    }

    func dataset() throws(ParameterError) -> Dataset {
        let sizes = clusterSizes()
        var columns = informativeColumns(sizes: sizes)
        columns += mixtures(of: columns)
        columns += copies(of: columns)
        columns += noise(columns: features - columns.count)
        let labels = labels(sizes: sizes)
        move(&columns)
        let rows = shuffle ? step(.rowOrder).permutation(samples) : Array(0..<samples)
        let order = shuffle ? step(.columnOrder).permutation(features) : Array(0..<features)
        do throws(DatasetError) {
            return try Dataset(
                columns: order.map { column in rows.map { Float(columns[column][$0]) } },
                featureNames: Dataset.standardNames(features),
                target: Dataset.classes(of: rows.map { .integer(Int64(labels[$0])) }),
                targetName: "target")
        } catch {
            throw ParameterError(
                "classSeparation, shift and scale", "\(classSeparation)",
                allowed: "such that all values are finite")
        }
    }

    private func step(_ step: Step) -> Chance { chance.child(step.rawValue) }

    /// Rows per cluster; cluster k belongs to class k modulo the number of classes.
    private func clusterSizes() -> [Int] {
        let perClass = Double(clusterCount / classes)
        var sizes = (0..<clusterCount).map {
            Int(Double(samples) * weights[$0 % classes] / perClass)
        }
        var index = 0
        var rest = samples - sizes.reduce(0, +)
        while rest > 0 {
            sizes[index % clusterCount] += 1
            index += 1
            rest -= 1
        }
        // Shares that sum to slightly more than 1 by rounding.
        while rest < 0, let last = sizes.lastIndex(where: { $0 > 0 }) {
            sizes[last] -= 1
            rest += 1
        }
        return sizes
    }

    /// Normal deviates, sheared by the cluster's matrix and moved to its centre.
    private func informativeColumns(sizes: [Int]) -> [[Double]] {
        let centres = centres()
        let (deviates, shear) = (step(.deviates), step(.shear))
        var columns = Array(
            repeating: [Double](repeating: 0, count: samples), count: informative)
        var row = 0
        for (cluster, size) in sizes.enumerated() {
            let matrix = (0..<informative * informative).map {
                2 * shear.unit(UInt64(cluster * informative * informative + $0)) - 1
            }
            for _ in 0..<size {
                let point = (0..<informative).map {
                    deviates.normal(UInt64(row * informative + $0))
                }
                for column in 0..<informative {
                    var sum = 0.0
                    for index in 0..<informative {
                        sum += point[index] * matrix[index * informative + column]
                    }
                    columns[column][row] = sum + centres[cluster][column]
                }
                row += 1
            }
        }
        return columns
    }

    /// Different corners of the hypercube, or of boxes of random size.
    private func centres() -> [[Double]] {
        let corners = corners()
        let (rows, columns) = (step(.boxRows), step(.boxColumns))
        return corners.enumerated().map { cluster, corner in
            corner.enumerated().map { column, isUpper in
                let place = isUpper ? classSeparation : -classSeparation
                guard !hypercube else { return place }
                return place * rows.unit(UInt64(cluster)) * columns.unit(UInt64(column))
            }
        }
    }

    /// One corner per cluster, all different in their first 30 coordinates or fewer.
    private func corners() -> [[Bool]] {
        let chance = step(.corners)
        let width = min(informative, 30)
        // Floyd's sampling of different numbers below 2^width, then a shuffle.
        var chosen = Set<Int>()
        var numbers: [Int] = []
        for top in (1 << width) - min(clusterCount, 1 << width)..<(1 << width) {
            let draw = chance.index(below: top + 1, UInt64(top))
            let number = chosen.insert(draw).inserted ? draw : top
            chosen.insert(number)
            numbers.append(number)
        }
        let order = chance.child(1).permutation(numbers.count)
        let far = chance.child(2)
        return order.enumerated().map { cluster, index in
            (0..<informative).map { column in
                column < width
                    ? (numbers[index] >> column) & 1 == 1
                    : far.bits(UInt64(cluster * informative + column)) & 1 == 1
            }
        }
    }

    private func mixtures(of columns: [[Double]]) -> [[Double]] {
        let chance = step(.mixture)
        return (0..<redundant).map { column in
            var mixture = [Double](repeating: 0, count: samples)
            for (index, source) in columns.enumerated() {
                let share = 2 * chance.unit(UInt64(index * redundant + column)) - 1
                for row in 0..<samples { mixture[row] += source[row] * share }
            }
            return mixture
        }
    }

    private func copies(of columns: [[Double]]) -> [[Double]] {
        let chance = step(.copies)
        return (0..<repeated).map {
            columns[Int(Double(columns.count - 1) * chance.unit(UInt64($0)) + 0.5)]
        }
    }

    private func noise(columns: Int) -> [[Double]] {
        let chance = step(.noise)
        return (0..<columns).map { column in
            (0..<samples).map { chance.normal(UInt64(column * samples + $0)) }
        }
    }

    private func labels(sizes: [Int]) -> [Int] {
        let (flips, flipped) = (step(.flips), step(.flippedLabels))
        var labels: [Int] = []
        for (cluster, size) in sizes.enumerated() {
            for _ in 0..<size {
                let row = UInt64(labels.count)
                let isFlipped = flips.unit(row) < flipY
                labels.append(
                    isFlipped ? flipped.index(below: classes, row) : cluster % classes)
            }
        }
        return labels
    }

    /// Shifts and scales each column.
    private func move(_ columns: inout [[Double]]) {
        let (shifts, scales) = (step(.shifts), step(.scales))
        for column in columns.indices {
            let draw = UInt64(column)
            let added = shift ?? (2 * shifts.unit(draw) - 1) * classSeparation
            let factor = scale ?? 1 + 100 * scales.unit(draw)
            for row in columns[column].indices {
                columns[column][row] = (columns[column][row] + added) * factor
            }
        }
    }
}
