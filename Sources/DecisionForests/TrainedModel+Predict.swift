extension TrainedModel {
    /// Throws unless the names and classes match the ensemble, and the ensemble is sound.
    package func validate() throws(EnsembleError) {
        try ensemble.validate()
        try validateNames()
    }

    private func validateNames() throws(EnsembleError) {
        let predictor = ensemble.transform == .logistic && ensemble.outputCount == 1
        var problem: String?
        if featureNames.count != ensemble.featureCount {
            problem = "\(featureNames.count) names for \(ensemble.featureCount) features"
        }
        if featureKinds.count != ensemble.featureCount {
            problem = "\(featureKinds.count) kinds for \(ensemble.featureCount) features"
        }
        switch task {
        case .classification(let classes):
            let outputs = predictor ? 2 : ensemble.outputCount
            if classes.count != outputs { problem = "\(classes.count) classes, \(outputs) outputs" }
        case .regression:
            if ensemble.outputCount != 1 || predictor {
                problem = "\(ensemble.outputCount) outputs for one number"
            }
        }
        if let problem { throw EnsembleError(tree: nil, node: nil, problem: problem) }
    }

    /// The model's predictor; who predicts often keeps it.
    public func predictor() throws(EnsembleError) -> Predictor {
        try validateNames()
        return try Predictor(ensemble)  // which validates the ensemble
    }

    /// Predicts rows whose features stand in the order of `featureNames`.
    public func predict(_ rows: FeatureMatrix, threads: Int = 1) throws -> Predictions {
        let predictor = try predictor()
        return Predictions(
            task: task, scores: try predictor.predict(rows, threads: threads),
            outputCount: predictor.outputCount)
    }

    /// Predicts a data set's rows; its columns are found by name and may stand in any order, and so
    /// may the levels of its categorical columns. Levels that the model does not know count as
    /// missing.
    public func predict(_ dataset: Dataset, threads: Int = 1) throws -> Predictions {
        try predict(dataset.features(named: featureNames, as: featureKinds), threads: threads)
    }

    /// What turns rows of values as people name them into rows of this model.
    package var rowEncoder: RowEncoder { RowEncoder(names: featureNames, kinds: featureKinds) }
}

extension Dataset {
    /// The rows with these columns in this order; further columns are left out.
    ///
    /// With `kinds`, the numbers mean what they mean there: levels are matched by their names, and
    /// a level that is not among them becomes a missing value. A column that cannot be understood
    /// that way (names where numbers are needed) throws.
    package func features(
        named names: [String], as kinds: [FeatureKind]? = nil
    ) throws(DatasetError) -> FeatureMatrix {
        if names == featureNames, kinds == nil || kinds == featureKinds { return features }
        var columnOf: [String: Int] = [:]
        for (index, name) in featureNames.enumerated() { columnOf[name] = index }
        let encoder = kinds.map { RowEncoder(names: names, kinds: $0) }
        var columns: [[Float]] = []
        for (place, name) in names.enumerated() {
            guard let column = columnOf[name] else {
                throw .shape("the model needs the column '\(name)', the data set has none")
            }
            var values = self.columns[column]
            if let encoder, encoder.kinds[place] != featureKinds[column] {
                do throws(RowEncoder.Mismatch) {
                    values = try encoder.recode(values, of: featureKinds[column], column: place)
                } catch {
                    throw .shape(error.description)
                }
            }
            columns.append(values)
        }
        return FeatureMatrix(columns: columns, rowCount: rowCount)
    }
}
