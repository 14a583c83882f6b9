/// Says in which leaf of each tree a row ends, as LightGBM's `pred_leaf` and scikit-learn's `apply`
/// do. Leaves have the numbers that the model gives them, from 0 in each tree.
package struct LeafFinder: Sendable {
    private let layout: GeneralLayout
    private let reading: RowReading
    private let featureCount: Int
    /// Numbers per row.
    package let treeCount: Int

    /// For an ensemble that may come from anywhere: it is validated first.
    package init(_ ensemble: TreeEnsemble) throws(EnsembleError) {
        layout = GeneralLayout(ensemble, try ensemble.validatedColumns())
        reading = RowReading(ensemble)
        (featureCount, treeCount) = (ensemble.featureCount, ensemble.trees.count)
    }

    /// `treeCount` leaves for each row, row after row.
    ///
    /// Throws if the rows have another width than the model.
    package func leafIndices(
        of rows: FeatureMatrix, threads: Int = 1
    ) throws(DatasetError) -> [Int32] {
        guard rows.featureCount == featureCount else {
            throw .shape("rows have \(rows.featureCount) features, the model has \(featureCount)")
        }
        let (rowCount, share) = (rows.rowCount, 256)
        return [Int32](unsafeUninitializedCapacity: rowCount * treeCount) { buffer, count in
            nonisolated(unsafe) let leaves = buffer.baseAddress
            rows.values.withUnsafeBufferPointer { values in
                nonisolated(unsafe) let values = values.baseAddress
                let shareCount = (rowCount + share - 1) / share
                Parallel.forEach(shareCount, threads: max(1, threads)) { number, _ in
                    guard let values, let leaves else { return }
                    let start = number * share
                    let count = min(share, rowCount - start)
                    reading.withRows(values + start * featureCount, count: count) { rows in
                        layout.findLeaves(
                            of: rows, count: count, featureCount: featureCount,
                            into: leaves + start * treeCount)
                    }
                }
            }
            count = rowCount * treeCount
        }
    }
}
