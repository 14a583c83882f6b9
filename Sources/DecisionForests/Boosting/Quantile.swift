/// Quantiles of residuals.
enum Quantile {
    /// The quantile of these values, which are left in another order: interpolated between the two
    /// nearest ones, as numpy does; with weights, the first value that has `share` of the weight at
    /// or below it. 0 if there are no values, or none counts.
    static func of(_ values: inout [Float], weights: inout [Float]?, share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        guard let weights else {
            FloatSorting.sort(&values)
            let place = share * Double(values.count - 1)
            let below = min(Int(place), values.count - 1)
            let (low, high) = (
                Double(values[below]), Double(values[min(below + 1, values.count - 1)])
            )
            return low + (high - low) * (place - Double(below))
        }
        // Equal values by weight, so that the sum is the same whatever order the rows are in.
        let order = values.indices.sorted {
            (values[$0], weights[$0]) < (values[$1], weights[$1])
        }
        let all = ExactSum.sum(count: order.count) { Double(weights[$0]) }
        var sum = 0.0
        for index in order where weights[index] > 0 {
            sum += Double(weights[index])
            if sum >= share * all { return Double(values[index]) }
        }
        return order.last { weights[$0] > 0 }.map { Double(values[$0]) } ?? 0
    }
}
