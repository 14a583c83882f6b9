/// Rows of features as one flat array: value of feature f in row r at `r * featureCount + f`.
public struct FeatureMatrix: Sendable, Hashable {
    /// Row after row. A missing value is NaN.
    public let values: [Float]
    /// Rows.
    public let rowCount: Int
    /// Values per row.
    public let featureCount: Int

    /// A matrix over `values`, which must hold whole rows of `featureCount` values.
    public init(values: [Float], featureCount: Int) throws(DatasetError) {
        guard featureCount > 0, values.count % featureCount == 0 else {
            throw .shape("\(values.count) values do not form rows of \(featureCount) features")
        }
        self.values = values
        self.featureCount = featureCount
        rowCount = values.count / featureCount
    }

    /// A matrix of rows that must all be equally long.
    public init(rows: [[Float]]) throws(DatasetError) {
        let width = rows.first?.count ?? 0
        if let odd = rows.firstIndex(where: { $0.count != width }) {
            throw .shape("row \(odd) has \(rows[odd].count) features, row 0 has \(width)")
        }
        try self.init(values: rows.flatMap { $0 }, featureCount: width)
    }

    /// Rows from columns of one length, feature f being `columns[f]`.
    init(columns: [[Float]], rowCount: Int) {
        let width = columns.count
        featureCount = width
        self.rowCount = rowCount
        values = [Float](unsafeUninitializedCapacity: rowCount * width) { buffer, count in
            if let target = buffer.baseAddress {
                for (feature, column) in columns.enumerated() {
                    column.withUnsafeBufferPointer { source in
                        for row in 0..<rowCount {
                            (target + row * width + feature).initialize(to: source[row])
                        }
                    }
                }
            }
            count = rowCount * width
        }
    }

    /// The value of one cell.
    public subscript(row: Int, feature: Int) -> Float { values[row * featureCount + feature] }
}
