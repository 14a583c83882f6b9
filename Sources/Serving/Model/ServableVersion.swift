/// One version of a registered model, as its source describes it: what a load was resolved to.
package struct ServableVersion: Sendable, Hashable, Codable {
    package let name: String
    /// The registry's number as text.
    package let version: String
    /// "None", "Staging", "Production" or "Archived": MLflow's old stages.
    package var stage: String
    package var description: String
    /// Milliseconds since 1970.
    package var creationTimestamp: Int64
    /// The run that registered it, where one did.
    package var runID: String?
    /// Where the artefact lies. It tells versions of one number apart after a registry was reset.
    package var source: String

    package init(
        name: String, version: String, stage: String = "None", description: String = "",
        creationTimestamp: Int64 = 0, runID: String? = nil, source: String = ""
    ) {
        self.name = name
        self.version = version
        self.stage = stage
        self.description = description
        self.creationTimestamp = creationTimestamp
        self.runID = runID
        self.source = source
    }
}
