package import DecisionForests

/// What a model was trained on, as far as it is kept with the model: how its features were
/// distributed, for drift, and a few rows, as MLflow's input example.
package struct ModelOrigin: Sendable, Hashable {
    /// Rows of the input example.
    static let exampleRowCount = 5

    /// Every feature's distribution.
    package let profile: TrainingProfile
    /// The first rows; NaN for missing.
    package let example: [[Float]]

    /// What is kept of this data set.
    package init(of dataset: Dataset) {
        profile = TrainingProfile(of: dataset)
        example = (0..<min(Self.exampleRowCount, dataset.rowCount)).map { row in
            dataset.columns.map { $0[row] }
        }
    }
}

extension TrainedModel {
    /// What MLflow calls such a model: "classifier" or "regressor".
    package var mlflowType: String {
        switch task {
        case .classification: "classifier"
        case .regression: "regressor"
        }
    }
}

extension Dataset {
    /// The columns as MLflow lists those of a dataset, the target last.
    package var mlflowSchema: String {
        let optional = optionalFeatures
        var targetType = "double"
        if case .classes(let labels, _) = target {
            let isText = labels.contains { if case .string = $0 { true } else { false } }
            targetType = isText ? "string" : "long"
        }
        let columns = zip(featureNames, featureKinds).map { name, kind in
            Self.column(
                name, type: ModelSignature.ColumnType(kind).rawValue,
                isRequired: !optional.contains(name))
        }
        let all = columns + [Self.column(targetName, type: targetType, isRequired: true)]
        return JSONText.object([("mlflow_colspec", JSONText.array(all))])
    }

    private static func column(_ name: String, type: String, isRequired: Bool) -> String {
        JSONText.object([
            ("name", JSONText.string(name)), ("required", isRequired ? "true" : "false"),
            ("type", JSONText.string(type)),
        ])
    }
}
