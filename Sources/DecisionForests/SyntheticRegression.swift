/// Rows whose number is a random mixture of some features, with the parameters, defaults and
/// construction of scikit-learn's `make_regression` (one target, full rank).
///
/// Chance is that of `makeClassification`: the same rows on every machine.
///
/// - Parameters:
///   - samples: Rows.
///   - features: Columns, all standard normal.
///   - informative: Columns that enter the mixture, each with a weight in 0 ..< 100.
///   - bias: Added to every number.
///   - noise: Standard deviation of what is added to each number besides.
///   - shuffle: Whether rows and columns are put in random order.
///   - seed: Decides everything.
public func makeRegression(
    samples: Int = 100, features: Int = 100, informative: Int = 10, bias: Double = 0,
    noise: Double = 0, shuffle: Bool = true, seed: UInt64 = 0
) throws(ParameterError) -> Dataset {
    try ParameterError.check("samples", samples, isIn: 1...Dataset.rowCountMax)
    try ParameterError.check("features", features, isIn: 1...TreeEnsemble.widthMax)
    try ParameterError.check("informative", informative, isIn: 0...features)
    try ParameterError.check("bias", bias, isIn: -1e30...1e30)
    try ParameterError.check("noise", noise, isIn: 0...1e30)
    let chance = Chance(seed: seed).child(0x72656772)  // "regr"
    let (deviates, weights, errors) = (chance.child(1), chance.child(2), chance.child(3))
    let columns = (0..<features).map { column in
        (0..<samples).map { deviates.normal(UInt64(column * samples + $0)) }
    }
    let values = (0..<samples).map { row in
        var value = bias + noise * errors.normal(UInt64(row))
        for column in 0..<min(informative, features) {
            value += 100 * weights.unit(UInt64(column)) * columns[column][row]
        }
        return Float(value)
    }
    let rows = shuffle ? chance.child(4).permutation(samples) : Array(0..<samples)
    let order = shuffle ? chance.child(5).permutation(features) : Array(0..<features)
    do throws(DatasetError) {
        return try Dataset(
            columns: order.map { column in rows.map { Float(columns[column][$0]) } },
            featureNames: Dataset.standardNames(features), target: .values(rows.map { values[$0] }),
            targetName: "target")
    } catch {
        throw ParameterError(
            "bias and noise", "\(bias), \(noise)", allowed: "such that all values are finite")
    }
}
