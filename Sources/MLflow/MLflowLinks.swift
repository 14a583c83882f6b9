internal import HTTPClient

/// Addresses of MLflow's web pages, for people.
package struct MLflowLinks: Sendable, Hashable {
    /// Without a trailing slash.
    package let base: String

    package init(_ configuration: MLflowConfiguration) {
        base = configuration.publicURL
    }

    package func experiment(_ id: String) -> String {
        base + "/#/experiments/" + PercentEncoding.segment(id)
    }

    package func run(_ run: Run) -> String {
        experiment(run.experimentID) + "/runs/" + PercentEncoding.segment(run.id)
    }

    package func modelVersion(_ version: ModelVersion) -> String {
        base + "/#/models/" + PercentEncoding.segment(version.name) + "/versions/"
            + PercentEncoding.segment(version.version)
    }

    package func loggedModel(_ model: LoggedModel) -> String? {
        model.id.map { experiment(model.experimentID) + "/models/" + PercentEncoding.segment($0) }
    }
}

extension MLflowClient {
    package var links: MLflowLinks { MLflowLinks(configuration) }
}
