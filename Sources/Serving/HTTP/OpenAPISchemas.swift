extension OpenAPIDocument {
    /// One row of numbers, or a row by name: what every table form is made of.
    static let schemas = #"""
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
        "enum":["load","reload","unload","status","pin","unpin"]},\#
        "model_version":{"title":"Model Version",\#
        "anyOf":[{"type":"integer"},{"type":"string"}]},"data":{"title":"Data"}}},\#
        "InferRequest":{"title":"InferRequest","type":"object",\#
        "description":"A matrix [rows, columns], \#
        or one tensor [rows] or [rows, 1] for each column by its name.","properties":{\#
        "id":{"type":"string"},"parameters":{"type":"object"},"inputs":{"type":"array",\#
        "minItems":1,"items":{"type":"object","properties":{"name":{"type":"string"},\#
        "shape":{"type":"array","items":{"type":"integer","minimum":1},"minItems":1,"maxItems":2},\#
        "datatype":{"enum":["BOOL","UINT8","UINT16","UINT32","UINT64","INT8","INT16","INT32",\#
        "INT64","FP16","BF16","FP32","FP64","BYTES"]},"parameters":{"type":"object"},\#
        "data":{"type":"array"}},"required":["name","shape","datatype"]}},"outputs":{\#
        "type":"array","items":{"type":"object","properties":{"name":{"enum":["predict",\#
        "predict_proba"]},"parameters":{"type":"object"}},"required":["name"]}}},\#
        "required":["inputs"]},\#
        "RepositoryIndexRequest":{"title":"RepositoryIndexRequest","type":"object",\#
        "properties":{"ready":{"type":"boolean"}}},\#
        "RepositoryRequest":{"title":"RepositoryRequest","type":"object","properties":{\#
        "parameters":{"type":"object"}}},\#
        "InstancesRequest":{"title":"InstancesRequest","type":"object","description":"Rows under \#
        instances, or columns by name under inputs.","properties":{"instances":{"type":"array",\#
        "minItems":1},"inputs":{}}},\#
        "InvocationsRequest":{"title":"InvocationsRequest","type":"object","description":"Exactly \#
        one of the forms.","properties":{"dataframe_split":{"type":"object"},\#
        "dataframe_records":{"type":"array","items":{"type":"object"}},"inputs":{},\#
        "instances":{"type":"array"},"params":{"type":"object"}}},\#
        "ProtocolError":{"title":"ProtocolError","type":"object","properties":{"error":{\#
        "type":"string"}},"required":["error"]},\#
        "ScoringError":{"title":"ScoringError","type":"object","properties":{"error_code":{\#
        "type":"string"},"message":{"type":"string"}},"required":["error_code","message"]},\#
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
