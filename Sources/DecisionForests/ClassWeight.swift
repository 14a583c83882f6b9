/// How much the rows of each class count in training.
public enum ClassWeight: Sendable, Hashable, Codable, CustomStringConvertible {
    /// All rows alike.
    case equal
    /// All classes alike: a row counts rows / (classes × rows of its class).
    case balanced
    /// A weight per class; classes that are not named count 1.
    case perClass([ClassLabel: Double])

    /// As scikit-learn spells it: "None", "balanced", "{0: 1.0, 1: 5.0}".
    public var description: String {
        switch self {
        case .equal:
            return "None"
        case .balanced:
            return "balanced"
        case .perClass(let weights):
            let list = weights.keys.sorted().map { label in
                let name =
                    if case .string = label { "'\(label)'" } else { label.description }
                return "\(name): \(weights[label] ?? 1)"
            }
            return "{" + list.joined(separator: ", ") + "}"
        }
    }

    func check() throws(ParameterError) {
        guard case .perClass(let weights) = self else { return }
        for (label, weight) in weights where !(weight >= 0 && weight <= 1e9) {
            throw ParameterError(
                "classWeight", "\(label): \(weight)", allowed: "between 0 and 1e9 for each class")
        }
    }

    /// Each row's weight, the data set's own included; nil if all count once.
    func rowWeights(
        labels: [ClassLabel], indices: [Int32], _ sampleWeights: [Float]?
    ) -> [Double]? {
        let classWeights: [Double]
        switch self {
        case .equal:
            return sampleWeights.map { $0.map(Double.init) }
        case .balanced:
            var counts = [Int](repeating: 0, count: labels.count)
            for index in indices { counts[Int(index)] += 1 }
            let present = counts.count { $0 > 0 }
            classWeights = counts.map {
                $0 == 0 ? 0 : Double(indices.count) / Double(present * $0)
            }
        case .perClass(let weights):
            classWeights = labels.map { weights[$0] ?? 1 }
        }
        guard let sampleWeights else { return indices.map { classWeights[Int($0)] } }
        return zip(indices, sampleWeights).map { classWeights[Int($0)] * Double($1) }
    }
}
