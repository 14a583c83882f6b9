/// An experiment: a named set of runs.
package struct Experiment: Sendable, Hashable {
    package let id: String
    package let name: String
    package let artifactLocation: String?
    package let isActive: Bool
    package let tags: [String: String]
}

struct WireExperiment: Decodable {
    var experimentId: String?
    var name: String?
    var artifactLocation: String?
    var lifecycleStage: String?
    var tags: [Pair]?

    func experiment() throws(MissingField) -> Experiment {
        Experiment(
            id: try experimentId.required("experiment_id"), name: try name.required("name"),
            artifactLocation: artifactLocation, isActive: lifecycleStage != "deleted",
            tags: Pair.dictionary(tags))
    }
}
