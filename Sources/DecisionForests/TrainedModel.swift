/// A class as the training data named it.
public enum ClassLabel: Sendable, Hashable, Codable, CustomStringConvertible {
    /// An integer label, kept as one all the way to `/predict`'s reply.
    case integer(Int64)
    /// Any other label.
    case string(String)

    /// The label as text.
    public var description: String {
        switch self {
        case .integer(let value): String(value)
        case .string(let text): text
        }
    }
}

/// A trained ensemble with the names that give its numbers meaning. What is logged, saved and
/// served.
public struct TrainedModel: Sendable, Hashable {
    /// What the model answers.
    public enum Task: Sendable, Hashable {
        /// `classes[i]` is what output i stands for.
        case classification(classes: [ClassLabel])
        /// One number, the expected value of the target.
        case regression
    }

    /// The trees.
    public let ensemble: TreeEnsemble
    /// `ensemble.featureCount` column names, in order.
    public let featureNames: [String]
    /// What each column's numbers stand for, in the same order.
    public let featureKinds: [FeatureKind]
    /// Columns that had missing values in training; the others are required when predicting.
    public let optionalFeatures: Set<String>
    /// The target column's name.
    public let targetName: String
    /// Classes or a number.
    public let task: Task
    /// The learner's type name: "RandomForestClassifier".
    public let learner: String
    /// The learner's parameters as MLflow shows them, in declaration order; the seed included.
    public let parameters: [Parameter]
    /// Rows the model was trained on.
    public let trainingRowCount: Int
    /// Per feature its share of all that the splits gained in training, summing to 1 (all zero
    /// where nothing was split); empty where the learner keeps none.
    ///
    /// The mean decrease of impurity, as in scikit-learn's `feature_importances_`.
    public let gainImportances: [Double]

    /// One hyperparameter.
    public struct Parameter: Sendable, Hashable {
        /// As scikit-learn spells it ("n_estimators").
        public let name: String
        /// As MLflow stores it.
        public let value: String

        /// A parameter of this name and value.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        ensemble: TreeEnsemble, featureNames: [String], featureKinds: [FeatureKind]? = nil,
        optionalFeatures: Set<String> = [], targetName: String, task: Task, learner: String,
        parameters: [Parameter], trainingRowCount: Int, gainImportances: [Double] = []
    ) {
        self.ensemble = ensemble
        self.featureNames = featureNames
        self.featureKinds =
            featureKinds ?? Array(repeating: .numeric, count: featureNames.count)
        self.optionalFeatures = optionalFeatures
        self.targetName = targetName
        self.task = task
        self.learner = learner
        self.parameters = parameters
        self.trainingRowCount = trainingRowCount
        self.gainImportances = gainImportances
    }
}
