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

    private static func write(
        _ operation: Operation, _ needsToken: Bool, to writer: inout JSONWriter
    ) {
        let path = operation.route.rawValue
        let method = operation.route.method.lowercased()
        writer.key(path)
        writer.openObject()
        writer.key(method)
        writer.openObject()
        writer.field("summary", operation.summary)
        writer.field("operationId", operation.name + identifier(path) + "_" + method)
        if operation.route.isChanging, needsToken { writer.key("security"); writer.raw(bearer) }
        writeParameters(of: path, to: &writer)
        if let schema = operation.schema {
            writer.key("requestBody")
            writer.raw(body(schema, operation).utf8)
        }
        writer.key("responses")
        writer.raw(responses(operation).utf8)
        writer.closeObject()
        writer.closeObject()
    }

    /// `/v1/models/{model}:predict` as `_v1_models__model__predict`, as FastAPI does it.
    private static func identifier(_ path: String) -> String {
        String(path.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    /// The places of a path.
    private static func writeParameters(of path: String, to writer: inout JSONWriter) {
        let names = ["model", "version"].filter { path.contains("{\($0)}") }
        guard !names.isEmpty else { return }
        writer.key("parameters")
        writer.openArray()
        for name in names {
            writer.raw(
                #"{"name":"\#(name)","in":"path","required":true,"schema":{"type":"string"}}"#.utf8)
        }
        writer.closeArray()
    }

    private static let bearer = Array(#"[{"bearer":[]}]"#.utf8)

    private static func reference(_ schema: String) -> String { "#/components/schemas/" + schema }

    private static func body(_ schema: String, _ operation: Operation) -> String {
        let required = operation.isBodyRequired ? #","required":true"# : ""
        let other =
            operation.otherType.map { #","\#($0)":{"schema":{"type":"string","format":"binary"}}"# }
            ?? ""
        return
            #"{"content":{"application/json":{"schema":{"$ref":"\#(reference(schema))"}}\#(other)}"#
            + required + "}"
    }

    /// Success, and for routes with a body what their protocol answers where it does not fit.
    private static func responses(_ operation: Operation) -> String {
        let success =
            #""200":{"description":"Successful Response","#
            + #""content":{"\#(operation.replyType)":{"schema":{}}}}"#
        let surface = Surface.of(path: operation.route.rawValue[...])
        if surface == .own {
            guard operation.schema != nil else { return "{\(success)}" }
            return "{\(success),\(failure("422", "Validation Error", "HTTPValidationError"))}"
        }
        let schema = surface == .mlflow ? "ScoringError" : "ProtocolError"
        var failures = [success]
        if operation.schema != nil { failures.append(failure("400", "Bad Request", schema)) }
        if operation.route.rawValue.contains("{") {
            failures.append(failure("404", "Not Found", schema))
        }
        return "{" + failures.joined(separator: ",") + "}"
    }

    private static func failure(_ status: String, _ text: String, _ schema: String) -> String {
        #""\#(status)":{"description":"\#(text)","content":{"application/json":"#
            + #"{"schema":{"$ref":"\#(reference(schema))"}}}}"#
    }

    private static func components(needsToken: Bool) -> String {
        let security =
            needsToken ? #","securitySchemes":{"bearer":{"type":"http","scheme":"bearer"}}"# : ""
        return #"{"schemas":\#(schemas)\#(security)}"#
    }
}
