extension TrainedModel {
    /// What tells each feature's part in the raw scores; who explains often keeps it.
    public func explainer() throws(ExplanationError) -> TreeExplainer {
        do throws(EnsembleError) {
            try validate()
        } catch {
            throw .damaged(error)
        }
        return try TreeExplainer(ensemble)
    }

    /// What each feature adds to the raw scores of a data set's rows; its columns are found by
    /// name, as for `predict`.
    public func explain(_ dataset: Dataset, threads: Int = 1) throws -> ShapValues {
        try explainer().contributions(
            of: dataset.features(named: featureNames, as: featureKinds), threads: threads)
    }

    /// How the answer depends on one or two features.
    ///
    /// - Parameters:
    ///   - features: Their numbers in `featureNames`.
    ///   - rows: What is averaged over, in the order of `featureNames`; the grids' source too.
    ///   - grids: Per feature the values to try; those of `PartialDependence.grid` if nil.
    ///   - scale: What is averaged over rows.
    ///   - keepsCurves: Whether the answers that are averaged are wanted too.
    ///   - threads: At least 1; the answer does not depend on their number.
    /// - Throws: `ExplanationError` for features or grids that cannot be used, for no rows to
    ///   average over, and for a recursion through trees without covers or with weighted sums.
    public func partialDependence(
        of features: [Int], rows: FeatureMatrix, grids: [[Float]]? = nil,
        method: PartialDependence.Method = .rows, scale: PartialDependence.Scale = .prediction,
        keepsCurves: Bool = false, threads: Int = 1
    ) throws(ExplanationError) -> PartialDependence {
        guard rows.featureCount == ensemble.featureCount else {
            throw .rows(
                "they have \(rows.featureCount) features, the model has \(ensemble.featureCount)")
        }
        let known = features.filter((0..<ensemble.featureCount).contains)
        let grids =
            grids
            ?? known.map { feature in
                PartialDependence.grid(
                    of: (0..<rows.rowCount).lazy.map { rows[$0, feature] },
                    hasLevels: featureKinds[feature].levels != nil)
            }
        try PartialDependence.check(features, grids, featureCount: ensemble.featureCount)
        do throws(EnsembleError) {
            try validate()
        } catch {
            throw .damaged(error)
        }
        switch method {
        case .recursion:
            return try DependenceRecursion(ensemble, features: features).dependence(
                on: grids, threads: threads)
        case .rows:
            return try DependenceAverage(
                ensemble, features: features, rows: rows, scale: scale, keepsCurves: keepsCurves
            ).dependence(on: grids, threads: threads)
        }
    }
}
