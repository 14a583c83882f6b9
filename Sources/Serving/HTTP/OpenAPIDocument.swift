/// The gateway's routes as an OpenAPI 3.1 document, in the spelling FastAPI's tools expect.
enum OpenAPIDocument {
    static func json(version: String, server: String, needsToken: Bool) -> [UInt8] {
        var writer = JSONWriter(capacity: 8_192)
        writer.openObject()
        writer.field("openapi", "3.1.0")
        writer.key("info")
        writer.openObject()
        writer.field("title", "Manta")
        writer.field("version", version)
        writer.closeObject()
        writer.key("servers")
        writer.openArray()
        writer.openObject()
        writer.field("url", server)
        writer.closeObject()
        writer.closeArray()
        writer.key("paths")
        writer.openObject()
        for operation in operations { write(operation, needsToken, to: &writer) }
        writer.closeObject()
        writer.key("components")
        writer.raw(components(needsToken: needsToken).utf8)
        writer.closeObject()
        return writer.bytes
    }

    private struct Operation {
        let route: Route
        let name: String
        let summary: String
        var schema: String?
        var isBodyRequired = false
    }

    private static let operations = [
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
        Operation(route: .livez, name: "livez", summary: "Liveness"),
        Operation(route: .ping, name: "ping", summary: "Ping"),
        Operation(route: .metrics, name: "metrics", summary: "Metrics"),
    ]

    private static func write(
        _ operation: Operation, _ needsToken: Bool, to writer: inout JSONWriter
    ) {
        let method = operation.route.method.lowercased()
        writer.key(operation.route.rawValue)
        writer.openObject()
        writer.key(method)
        writer.openObject()
        writer.field("summary", operation.summary)
        let path = operation.route.rawValue.map { $0 == "/" ? "_" : $0 }
        writer.field("operationId", operation.name + String(path) + "_" + method)
        if operation.route.isChanging, needsToken { writer.key("security"); writer.raw(bearer) }
        if let schema = operation.schema {
            writer.key("requestBody")
            let required = operation.isBodyRequired ? #","required":true"# : ""
            let content = #"{"application/json":{"schema":{"$ref":"\#(reference(schema))"}}}"#
            writer.raw(#"{"content":\#(content)\#(required)}"#.utf8)
        }
        writer.key("responses")
        writer.raw(responses(validates: operation.schema != nil).utf8)
        writer.closeObject()
        writer.closeObject()
    }

    private static let bearer = Array(#"[{"bearer":[]}]"#.utf8)

    private static func reference(_ schema: String) -> String { "#/components/schemas/" + schema }

    private static func responses(validates: Bool) -> String {
        let success =
            #""200":{"description":"Successful Response","#
            + #""content":{"application/json":{"schema":{}}}}"#
        guard validates else { return "{\(success)}" }
        let failure =
            #""422":{"description":"Validation Error","content":{"application/json":"#
            + #"{"schema":{"$ref":"\#(reference("HTTPValidationError"))"}}}}"#
        return "{\(success),\(failure)}"
    }

    private static func components(needsToken: Bool) -> String {
        let security =
            needsToken ? #","securitySchemes":{"bearer":{"type":"http","scheme":"bearer"}}"# : ""
        return #"{"schemas":\#(schemas)\#(security)}"#
    }

    /// One row of numbers, or a row by name: what every table form is made of.
    private static let schemas = #"""
        {"PredictRequest":{"title":"PredictRequest","type":"object","description":"Rows under one \#
        of features, instances, inputs, data, input_data (rows, records or columns by name), \#
        dataframe_split or dataframe_records.","properties":{"features":{"title":"Features",\#
        "type":"array","items":{"type":"array","items":{"anyOf":[{"type":"number"},\#
        {"type":"null"}]}},"minItems":1},"dataframe_split":{"title":"Dataframe Split",\#
        "type":"object","properties":{"columns":{"type":"array","items":{"type":"string"}},\#
        "data":{"type":"array","items":{"type":"array"}}},"required":["columns","data"]},\#
        "dataframe_records":{"title":"Dataframe Records","type":"array",\#
        "items":{"type":"object"}}}},\#
        "LoadRequest":{"title":"LoadRequest","type":"object","additionalProperties":false,\#
        "properties":{"name":{"title":"Name","anyOf":[{"type":"string"},{"type":"null"}]},\#
        "version":{"title":"Version","anyOf":[{"type":"integer"},{"type":"string"},\#
        {"type":"null"}]},"alias":{"title":"Alias","anyOf":[{"type":"string"},{"type":"null"}]},\#
        "run_id":{"title":"Run Id","anyOf":[{"type":"string"},{"type":"null"}]},\#
        "uri":{"title":"Uri","anyOf":[{"type":"string"},{"type":"null"}]}}},\#
        "ServeRequest":{"title":"ServeRequest","type":"object","properties":{\#
        "model_name":{"title":"Model Name","type":"string"},"action":{"title":"Action",\#
        "enum":["load","reload","unload","status"]},"model_version":{"title":"Model Version",\#
        "anyOf":[{"type":"integer"},{"type":"string"}]},"data":{"title":"Data"}}},\#
        "HTTPValidationError":{"title":"HTTPValidationError","type":"object","properties":{\#
        "detail":{"title":"Detail","type":"array","items":{"$ref":\#
        "#/components/schemas/ValidationError"}}}},\#
        "ValidationError":{"title":"ValidationError","type":"object","properties":{\#
        "loc":{"title":"Location","type":"array","items":{"anyOf":[{"type":"string"},\#
        {"type":"integer"}]}},"msg":{"title":"Message","type":"string"},"type":{"title":\#
        "Error Type","type":"string"},"input":{"title":"Input"},"ctx":{"title":"Context",\#
        "type":"object"}},"required":["loc","msg","type"]}}
        """#
}
