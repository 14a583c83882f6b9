/// Turns a target column into classes or numbers.
struct CSVTarget {
    /// More different integers than this are numbers to estimate, not classes.
    static let automaticClassCountMax = 100

    /// The column's different texts, in the order of their codes.
    private let texts: [String]
    private let integers: [Int64?]

    init(levels: LevelTable) {
        texts = (0..<levels.count).map { String(decoding: levels.text($0), as: UTF8.self) }
        integers = texts.map { Self.integer($0) }
    }

    /// The whole number that a text says: "7", "7.0", "7e0".
    static func integer(_ text: String) -> Int64? {
        if let integer = Int64(text) { return integer }
        guard number(text) != nil, let value = Double(text) else { return nil }
        return Int64(exactly: value)
    }

    private static func number(_ text: String) -> Float? {
        let utf8 = Array(text.utf8)
        let number = utf8.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { DecimalNumber.parse($0, count: bytes.count) }
        }
        guard case .finite(let value)? = number else { return nil }
        return value
    }

    /// What rows with these codes are to be answered under `task`'s rule.
    func target(of codes: [Float], task: Dataset.TargetKind) throws(DatasetError) -> Dataset.Target
    {
        let areIntegers = !integers.contains(nil)
        let numbers = texts.map { Self.number($0) }
        let areFew =
            areIntegers && Set(integers.compactMap { $0 }).count <= Self.automaticClassCountMax
        if task != .classification, !numbers.contains(nil), !areFew {
            return .values(codes.map { numbers[Int($0)] ?? .nan })
        }
        return try classes(of: codes, areIntegers: areIntegers)
    }

    /// Integer labels if every text is one, the texts otherwise.
    private func classes(of codes: [Float], areIntegers: Bool) throws(DatasetError)
        -> Dataset.Target
    {
        // In the order of the bytes, so that of two spellings of one text always the same stays.
        let order = texts.indices.sorted {
            texts[$0].utf8.lexicographicallyPrecedes(texts[$1].utf8)
        }
        let labels = order.map { index -> ClassLabel in
            if areIntegers, let integer = integers[index] { return .integer(integer) }
            return .string(texts[index])
        }
        guard case .classes(let classes, let indices) = Dataset.classes(of: labels) else {
            return .values([])
        }
        guard classes.count <= Dataset.classCountMax else {
            throw .shape("the target has \(classes.count) classes, at most 65535 work")
        }
        var indexOfCode = [Int32](repeating: 0, count: texts.count)
        for (position, code) in order.enumerated() { indexOfCode[code] = indices[position] }
        return .classes(labels: classes, indices: codes.map { indexOfCode[Int($0)] })
    }
}
