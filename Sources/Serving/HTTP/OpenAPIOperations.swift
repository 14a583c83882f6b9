extension OpenAPIDocument {
    /// One route as the document tells it.
    struct Operation {
        let route: Route
        /// The handler's name, the beginning of the operation's id.
        let name: String
        let summary: String
        /// The body's schema; nil for a route without one.
        var schema: String?
        var isBodyRequired = false
        /// A second type that the body may have, beside JSON.
        var otherType: String?
        /// The type of a reply that is not JSON.
        var replyType = "application/json"
    }

    /// Every route but the documents themselves.
    static let operations = own + openInference + scoring

    private static let own = [
        Operation(
            route: .predict, name: "predict", summary: "Predict",
            schema: "PredictRequest", isBodyRequired: true),
        Operation(
            route: .modelLoad, name: "load_model", summary: "Load Model", schema: "LoadRequest"),
        Operation(
            route: .serve, name: "serve", summary: "Serve", schema: "ServeRequest",
            isBodyRequired: true),
        Operation(route: .health, name: "health", summary: "Health"),
        Operation(route: .readyz, name: "readyz", summary: "Readiness"),
        Operation(route: .startupz, name: "startupz", summary: "Startup"),
        Operation(route: .livez, name: "livez", summary: "Liveness"),
        Operation(route: .healthz, name: "healthz", summary: "Liveness"),
        Operation(route: .dashHealthz, name: "dash_healthz", summary: "Liveness"),
        Operation(route: .ping, name: "ping", summary: "Ping"),
        Operation(route: .metrics, name: "metrics", summary: "Metrics", replyType: "text/plain"),
    ]

    private static let openInference = [
        Operation(route: .live, name: "server_live", summary: "Server Live"),
        Operation(route: .ready, name: "server_ready", summary: "Server Ready"),
        Operation(route: .inferServer, name: "server_metadata", summary: "Server Metadata"),
        Operation(route: .inferModel, name: "model_metadata", summary: "Model Metadata"),
        Operation(
            route: .inferVersionModel, name: "version_metadata", summary: "Version Metadata"),
        Operation(route: .inferReady, name: "model_ready", summary: "Model Ready"),
        Operation(route: .inferVersionReady, name: "version_ready", summary: "Version Ready"),
        Operation(
            route: .infer, name: "infer", summary: "Infer", schema: "InferRequest",
            isBodyRequired: true, otherType: "application/octet-stream"),
        Operation(
            route: .inferVersion, name: "infer_version", summary: "Infer By A Version",
            schema: "InferRequest", isBodyRequired: true, otherType: "application/octet-stream"),
        Operation(
            route: .inferConfiguration, name: "model_config", summary: "Model Configuration"),
        Operation(
            route: .inferVersionConfiguration, name: "version_config",
            summary: "Version Configuration"),
        Operation(route: .inferStatistics, name: "statistics", summary: "Statistics"),
        Operation(
            route: .inferModelStatistics, name: "model_statistics", summary: "Model Statistics"),
        Operation(
            route: .inferVersionStatistics, name: "version_statistics",
            summary: "Version Statistics"),
        Operation(
            route: .repositoryIndex, name: "repository_index", summary: "Repository Index",
            schema: "RepositoryIndexRequest"),
        Operation(
            route: .repositoryLoad, name: "repository_load", summary: "Repository Load",
            schema: "RepositoryRequest"),
        Operation(
            route: .repositoryUnload, name: "repository_unload", summary: "Repository Unload",
            schema: "RepositoryRequest"),
    ]

    private static let scoring = [
        Operation(route: .kserveModels, name: "list_models", summary: "List Models (KServe)"),
        Operation(route: .kserveModel, name: "model_status", summary: "Model Status (KServe)"),
        Operation(
            route: .kservePredict, name: "predict_v1", summary: "Predict (KServe)",
            schema: "InstancesRequest", isBodyRequired: true),
        Operation(
            route: .invocations, name: "invocations", summary: "Invocations (MLflow)",
            schema: "InvocationsRequest", isBodyRequired: true, otherType: "text/csv"),
        Operation(
            route: .mlflowVersion, name: "mlflow_version", summary: "MLflow Version",
            replyType: "text/plain"),
    ]
}
