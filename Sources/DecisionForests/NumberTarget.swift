/// A target of numbers: classes or values, by the same rules as a CSV's.
struct NumberTarget {
    private var values: [Float] = []
    /// The same numbers, as long as all of them are whole.
    private var integers: [Int64] = []
    /// The first row whose number is not whole.
    private(set) var firstFraction: Int?

    var count: Int { values.count }

    /// Appends a row's number: as float32, and exactly if it is whole.
    mutating func append(_ value: Float, integer: Int64?) {
        if let integer, firstFraction == nil {
            integers.append(integer)
        } else if firstFraction == nil {
            firstFraction = values.count
            integers = []
        }
        values.append(value)
    }

    /// Classes where `task` wants them or all numbers are whole and at most 100 different ones.
    func target(task: Dataset.TargetKind) throws(DatasetError) -> Dataset.Target {
        let isWhole = firstFraction == nil
        switch task {
        case .regression: return .values(values)
        case .automatic:
            guard isWhole, Set(integers).count <= CSVTarget.automaticClassCountMax else {
                return .values(values)
            }
        case .classification:
            guard let row = firstFraction else { break }
            throw .shape(
                "row \(row) is to be answered \(values[row]), which is not whole, but the task is "
                    + "classification")
        }
        let target = Dataset.classes(of: integers.map { .integer($0) })
        if case .classes(let labels, _) = target, labels.count > Dataset.classCountMax {
            throw .shape("the target has \(labels.count) classes, at most 65535 work")
        }
        return target
    }
}
