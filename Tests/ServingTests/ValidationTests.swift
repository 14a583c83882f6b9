import DecisionForests
import Foundation
import ModelFormats
import Testing

@testable import Serving

/// The decoder alone, for what does not need a socket: every form and every problem.
@Suite struct ValidationTests {
    static let schema = columns(of: TestModels.classifier())

    static func columns(of model: TrainedModel) -> FeatureSchema {
        FeatureSchema(ModelSignature(of: model), encoder: model.rowEncoder)
    }

    static func decode(
        _ body: String, schema: FeatureSchema = ValidationTests.schema
    ) -> Result<[Float], FeatureDecoder.Failure> {
        decode(Array(body.utf8), schema: schema)
    }

    static func decode(
        _ body: [UInt8], schema: FeatureSchema = ValidationTests.schema
    ) -> Result<[Float], FeatureDecoder.Failure> {
        body.withUnsafeBytes { bytes in
            do throws(FeatureDecoder.Failure) {
                let rows = try FeatureDecoder.decode(
                    bytes, schema: schema, limits: GatewayConfiguration.Limits())
                return .success(rows.values)
            } catch {
                return .failure(error)
            }
        }
    }

    /// The first problem of a body that must be refused with 422.
    static func problem(
        _ body: String, schema: FeatureSchema = ValidationTests.schema
    ) throws -> [String: Any] {
        try #require(try problems(body, schema: schema).first)
    }

    static func problems(
        _ body: String, schema: FeatureSchema = ValidationTests.schema
    ) throws -> [[String: Any]] {
        guard case .failure(.invalid(let reply)) = decode(body, schema: schema) else { return [] }
        let json = try JSONSerialization.jsonObject(with: Data(reply)) as? [String: Any]
        return try #require(json?["detail"] as? [[String: Any]])
    }

    @Test(
        "Every form of the same rows gives the same values",
        arguments: [
            #"{"features": [[1, 2, 3], [4, 5, null]]}"#,
            #" { "x" : 1, "instances":[[1,2,3],[4,5,null]] , "features2": [] } "#,
            #"{"inputs": [[1.0, 2e0, 30e-1], [4, 5, null]]}"#,
            #"{"data": [[1, 2, 3], [4, 5, null]]}"#,
            #"{"input_data": [[1, 2, 3], [4, 5, null]]}"#,
            #"{"dataframe_split": {"columns": ["x", "y", "z"],"#
                + #" "data": [[1, 2, 3], [4, 5, null]]}}"#,
            #"{"dataframe_split": {"index": [0, 1], "data": [["a", 3, 2, 1], [true, null, 5, 4]],"#
                + #" "columns": ["extra", "z", "y", "x"]}}"#,
            #"{"dataframe_split": {"columns": [0, 1, 2], "data": [[1, 2, 3], [4, 5, null]]}}"#,
            #"{"dataframe_records": [{"z": 3, "y": 2, "x": 1, "more": {}}, {"x": 4, "y": 5}]}"#,
            #"{"instances": [{"\u0078": 1, "y": 2, "z": 3}, {"y": 5, "x": 4, "z": null}]}"#,
            #"{"inputs": {"y": [2, 5], "x": [1, 4], "z": [3, null], "other": "?"}}"#,
            #"{"data": {"columns": ["x", "y", "z"], "data": [[1, 2, 3], [4, 5, null]]}}"#,
            #"{"features": [[9, 9, 9]], "features": [[1, 2, 3], [4, 5, null]]}"#,
        ])
    func forms(_ body: String) throws {
        let values = try Self.decode(body).get()
        #expect(values.prefix(5) == [1, 2, 3, 4, 5])
        #expect(values.count == 6 && values[5].isNaN)
    }

    @Test("A single record stands for one row")
    func singleRecord() throws {
        #expect(try Self.decode(#"{"data": {"z": 3, "x": 1, "y": 2}}"#).get() == [1, 2, 3])
    }

    @Test(
        "A problem has FastAPI's type, place and message",
        arguments: [
            (#"{"rows": []}"#, "missing", #"["body","features"]"#, "Field required"),
            ("", "missing", #"["body"]"#, "Field required"),
            ("  \n", "missing", #"["body"]"#, "Field required"),
            (#"{"features": [[1, "x", 3]]}"#, "float_type", #"["body","features",0,1]"#, number),
            (
                #"{"features": [[1, 2, 3], [true, 2, 3]]}"#, "float_type",
                #"["body","features",1,0]"#, number
            ),
            (#"{"features": [[1, null, 3]]}"#, "float_type", #"["body","features",0,1]"#, number),
            (#"{"features": [[1, [2], 3]]}"#, "float_type", #"["body","features",0,1]"#, number),
            (#"{"features": [[1, NaN, 3]]}"#, "finite_number", #"["body","features",0,1]"#, finite),
            (
                #"{"features": [[1, 2, -Infinity]]}"#, "finite_number",
                #"["body","features",0,2]"#, finite
            ),
            (
                #"{"features": [[1e999, 2, 3]]}"#, "finite_number", #"["body","features",0,0]"#,
                finite
            ),
            (
                #"{"features": [[3.5e38, 2, 3]]}"#, "finite_number",
                #"["body","features",0,0]"#, finite
            ),
            (#"{"features": 7}"#, "list_type", #"["body","features"]"#, list),
            (#"{"features": null}"#, "list_type", #"["body","features"]"#, list),
            (#"{"features": [[1, 2, 3], 4]}"#, "list_type", #"["body","features",1]"#, list),
            (
                #"{"features": []}"#, "too_short", #"["body","features"]"#,
                "List should have at least 1 item after validation, not 0"
            ),
            (
                #"{"features": [[1, 2, 3], [1, 2]]}"#, "too_short", #"["body","features",1]"#,
                "List should have at least 3 items after validation, not 2"
            ),
            (
                #"{"features": [[1, 2, 3, 4]]}"#, "too_long", #"["body","features",0]"#,
                "List should have at most 3 items after validation, not 4"
            ),
            (
                #"{"features": [[]]}"#, "too_short", #"["body","features",0]"#,
                "List should have at least 3 items after validation, not 0"
            ),
            (
                "[1]", "model_attributes_type", #"["body"]"#,
                "Input should be a valid dictionary or object to extract fields from"
            ),
            (#"{"features": [[1, 2 3]]}"#, "json_invalid", #"["body",20]"#, "JSON decode error"),
            (
                #"{"dataframe_records": [{"x": 1}]}"#, "missing",
                #"["body","dataframe_records",0,"y"]"#, "Field required"
            ),
            (
                #"{"dataframe_split": {"columns": ["x"], "data": [[1]]}}"#, "missing",
                #"["body","dataframe_split","columns","y"]"#, "Field required"
            ),
            (
                #"{"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [1]]}}"#,
                "too_short",
                #"["body","dataframe_split","data",1]"#,
                "List should have at least 2 items after validation, not 1"
            ),
            (
                #"{"dataframe_split": []}"#, "model_attributes_type",
                #"["body","dataframe_split"]"#,
                "Input should be a valid dictionary or object to extract fields from"
            ),
            (
                #"{"inputs": {"x": [1, 2], "y": [1]}}"#, "too_short", #"["body","inputs","y"]"#,
                "List should have at least 2 items after validation, not 1"
            ),
            (
                #"{"inputs": {"x": [1, "b"], "y": [1, 2]}}"#, "float_type",
                #"["body","inputs","x",1]"#, number
            ),
        ])
    func problemTable(_ body: String, _ type: String, _ location: String, _ message: String) throws
    {
        let problem = try Self.problem(body)
        #expect(problem["type"] as? String == type)
        let place = try JSONSerialization.data(withJSONObject: problem["loc"] ?? [])
        #expect(String(decoding: place, as: UTF8.self) == location)
        #expect(problem["msg"] as? String == message)
    }

    static let number = "Input should be a valid number"
    static let finite = "Input should be a finite number"
    static let list = "Input should be a valid list"

    @Test(
        "Broken JSON is refused where it breaks, in Python's words",
        arguments: [
            (#"{"features": [[1,2,3]]"#, 22, "Expecting ',' delimiter"),
            (#"{"features" [[1]]}"#, 12, "Expecting ':' delimiter"),
            (#"{features: 1}"#, 1, "Expecting property name enclosed in double quotes"),
            (#"{"a": }"#, 6, "Expecting value"),
            (#"{"a": 01}"#, 7, "Expecting ',' delimiter"),
            (#"{"a": 1.}"#, 7, "Expecting ',' delimiter"),
            (#"{"a": -}"#, 6, "Expecting value"),
            (#"{"a": +1}"#, 6, "Expecting value"),
            (#"{"a": tru}"#, 6, "Expecting value"),
            (#"{"a": "x}"#, 6, "Unterminated string starting at"),
            (#"{"a": "\x"}"#, 7, #"Invalid \escape"#),
            (#"{"a": "\u12"}"#, 8, #"Invalid \uXXXX escape"#),
            ("{\"a\": \"b\nc\"}", 8, "Invalid control character at"),
            (#"{"a": 1} x"#, 9, "Extra data"),
            (#"{"a": [1,]}"#, 8, "Illegal trailing comma before end of array"),
            (#"{"a": 1,}"#, 7, "Illegal trailing comma before end of object"),
            (#"{"é": ]"#, 6, "Expecting value"),
        ])
    func brokenJSON(_ body: String, _ offset: Int, _ error: String) throws {
        let problem = try Self.problem(body)
        #expect(problem["type"] as? String == "json_invalid")
        #expect((problem["loc"] as? [Any])?.last as? Int == offset)
        #expect((problem["ctx"] as? [String: Any])?["error"] as? String == error)
    }

    @Test("All problems of a body are listed, at most a hundred within 64 KiB")
    func manyProblems() throws {
        let two = try Self.problems(#"{"features": [["a", 2, 3], [1, 2], [1, 2, 3]]}"#)
        #expect(two.compactMap { $0["type"] as? String } == ["float_type", "too_short"])
        let rows = Array(
            repeating: #"["\#(String(repeating: "é", count: 700))",true,3]"#, count: 500)
        let body = "{\"features\": [\(rows.joined(separator: ","))]}"
        guard case .failure(.invalid(let reply)) = Self.decode(body) else {
            Issue.record("not refused")
            return
        }
        #expect(reply.count <= 64 << 10)
        let listed = try Self.problems(body)
        #expect(listed.count <= 100)
        let last = try #require(listed.last)
        #expect(last["msg"] as? String == "\(1_000 - listed.count + 1) more problems not listed")
        let short = Array(repeating: "[true]", count: 300).joined(separator: ",")
        #expect(try Self.problems("{\"features\": [\(short)]}").count == 100)
    }

    @Test("What is echoed is short and always JSON")
    func echo() throws {
        let problems = try Self.problems(#"{"features": [[NaN, "a", 1e999, [Infinity]]]}"#)
        #expect(problems.count == 4 && problems[0]["input"] as? String == "NaN")
        let problem = try #require(problems.last)
        #expect(problem["type"] as? String == "too_long")
        let input = try #require(problem["input"] as? [Any])
        #expect(input[0] as? String == "NaN" && input[2] as? String == "1e999")
        let long = try Self.problem(
            "{\"features\": \"\(String(repeating: "\u{1F600}", count: 2_000))\"}")
        #expect(try #require(long["input"] as? String).utf8.count <= 1 << 10)
    }

    @Test("Depth, size and encoding have their own answers")
    func limits() throws {
        let deep = String(repeating: "[", count: 100_000)
        guard case .failure(.unreadable) = Self.decode("{\"features\": " + deep) else {
            Issue.record("deep nesting was read")
            return
        }
        let fine =
            #"{"a": "# + String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        #expect(try Self.problem(fine + "}")["type"] as? String == "missing")
        guard
            case .failure(.unreadable) = Self.decode(Array("{\"a\": \"".utf8) + [0xFF, 0x22, 0x7D])
        else {
            Issue.record("invalid UTF-8 was read")
            return
        }
        let rows =
            "{\"features\": ["
            + Array(repeating: "[1,2,3]", count: 200_001).joined(
                separator: ",") + "]}"
        guard case .failure(.tooLarge) = Self.decode(rows) else {
            Issue.record("too many rows were read")
            return
        }
    }

    @Test(
        "Numbers are rounded as the training data is: to Double, then to Float",
        arguments: [
            "0", "-0", "1", "0.1", "16777217", "3.4028234663852886e38", "1e-45", "1e-50",
            "123456789012345678901234567890", "0.1000000014901161193847656250000000000001",
            "7.038531e-26", "2.2250738585072011e-308", "1E5", "1e+5", "9007199254740993",
        ])
    func numbers(_ text: String) throws {
        let values = try Self.decode("{\"features\": [[\(text),0,0]]}").get()
        let expected = Float(try #require(Double(text)))
        #expect(values[0].bitPattern == expected.bitPattern)
    }

    @Test("Hostile bytes never trap the decoder")
    func fuzz() {
        var generator = SystemRandomNumberGenerator()
        let seeds = [
            #"{"features": [[1.5e3, -2, null], [4, 5, 6]]}"#,
            #"{"dataframe_split": {"columns": ["x", "\u0079"], "data": [[1, 2]], "index": []}}"#,
            #"{"inputs": {"x": [1, 2], "y": [3, 4], "z": [NaN, -Infinity]}}"#,
            #"{"dataframe_records": [{"x": 1, "y": 2, "z": 3}]}"#,
        ].map { Array($0.utf8) }
        for round in 0..<20_000 {
            var body = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...6, using: &generator) where !body.isEmpty {
                let at = Int.random(in: 0..<body.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: body[at] = UInt8.random(in: 0...255, using: &generator)
                case 1: body.remove(at: at)
                case 2:
                    body.insert(Array("[]{}\",:\\eE+-.0NI\u{0}".utf8).randomElement() ?? 0, at: at)
                default: body.removeLast(body.count - at)
                }
            }
            if case .failure(.invalid(let reply)) = Self.decode(body) {
                let parsed = try? JSONSerialization.jsonObject(with: Data(reply))
                #expect(parsed != nil, "\(String(decoding: reply, as: UTF8.self))")
            }
        }
    }
}
