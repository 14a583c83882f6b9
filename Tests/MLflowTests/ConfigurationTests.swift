import Foundation
import TestSupport
import Testing

@testable import MLflow

/// The configuration from the environment, and the pure parts: limits, keys, URIs.
@Suite struct ConfigurationTests {
    @Test("The environment's variables are read as MLflow's own clients read them")
    func environment() throws {
        let configuration = try MLflowConfiguration(environment: [
            "MLFLOW_TRACKING_URI": "https://mlflow.example.org/base/",
            "MLFLOW_REGISTRY_URI": "http://registry:5001",
            "MLFLOW_PUBLIC_URL": "https://public.example.org/",
            "MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "secret",
            "MLFLOW_TRACKING_TOKEN": "token", "MLFLOW_TRACKING_INSECURE_TLS": "true",
            "MLFLOW_TRACKING_SERVER_CERT_PATH": "/ca.pem", "MLFLOW_EXPERIMENT_NAME": "e",
            "MLFLOW_RUN_ID": "abc", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_EXPERIMENT_ID": "",
        ])
        #expect(configuration.trackingURI == "https://mlflow.example.org/base")
        #expect(configuration.registryURI == "http://registry:5001")
        #expect(configuration.publicURL == "https://public.example.org")
        #expect(configuration.credentials == .basic(user: "ann", password: "secret"))
        #expect(!configuration.verifiesTLS && configuration.authoritiesPath == "/ca.pem")
        #expect(configuration.experimentName == "e" && configuration.runID == "abc")
        #expect(configuration.timeout == .seconds(5) && configuration.retriesMax == 2)
        #expect(configuration.experimentID == nil && !configuration.acceptsFileArtifacts)
    }

    @Test("Nothing set means a server on this machine")
    func defaults() throws {
        let configuration = try MLflowConfiguration(environment: [:])
        #expect(configuration.trackingURI == "http://127.0.0.1:5000")
        #expect(configuration.registryURI == configuration.trackingURI)
        #expect(configuration.credentials == .none && configuration.verifiesTLS)
        #expect(!MLflowConfiguration.isConfigured(in: ["MLFLOW_TRACKING_URI": ""]))
    }

    @Test("Secrets may come from files")
    func secretFiles() async throws {
        try await withFolder { folder in
            try write("token\n", to: folder + "/token")
            let token = try MLflowConfiguration(environment: [
                "MLFLOW_TRACKING_TOKEN_FILE": folder + "/token"
            ])
            #expect(token.credentials == .bearer(token: "token"))
            try write(
                "[other]\nmlflow_tracking_username = no\n[mlflow]\n"
                    + "mlflow_tracking_username = ann\nmlflow_tracking_password = a=b\n",
                to: folder + "/.mlflow/credentials")
            let file = try MLflowConfiguration(environment: ["HOME": folder])
            #expect(file.credentials == .basic(user: "ann", password: "a=b"))
            #expect(throws: MLflowError.self) {
                try MLflowConfiguration(environment: ["MLFLOW_TRACKING_TOKEN_FILE": "/nowhere"])
            }
        }
    }

    @Test(
        "An address that is no server's is refused with a next step",
        arguments: [
            "sqlite:///mlflow.db", "file:///tmp/mlruns", "./mlruns", "databricks", "http://",
            "http://a b",
        ])
    func addresses(_ uri: String) {
        #expect {
            try MLflowConfiguration(environment: ["MLFLOW_TRACKING_URI": uri])
        } throws: { error in
            let error = error as? MLflowError
            return error?.kind == .invalidConfiguration
                && error?.nextStep?.contains("mlflow server") == true
        }
    }

    @Test("A number out of its range is refused", arguments: ["0", "-1", "x", "1e9", "nan"])
    func numbers(_ text: String) {
        #expect(throws: MLflowError.self) {
            try MLflowConfiguration(environment: ["MLFLOW_HTTP_REQUEST_TIMEOUT": text])
        }
    }

    @Test("A batch is cut into pieces that fit, and nothing is lost")
    func pieces() {
        var batch = LogBatch()
        batch.metrics = (0..<3456).map {
            Metric(key: "m", value: Double($0), timestamp: 1, step: Int64($0))
        }
        for index in 0..<333 {
            batch.parameters["p\(index)"] = String(repeating: "\u{1}", count: index * 18)
            batch.tags["t\(index)"] = "\(index)"
        }
        let pieces = batch.pieces()
        #expect(pieces.allSatisfy { $0.metrics.count <= 1000 && $0.count <= 1000 })
        #expect(pieces.allSatisfy { $0.parameters.count <= 100 && $0.tags.count <= 100 })
        #expect(pieces.flatMap(\.metrics) == batch.metrics)
        #expect(pieces.reduce(0) { $0 + $1.parameters.count } == 333)
        #expect(pieces.reduce(0) { $0 + $1.tags.count } == 333)
        #expect(LogBatch().pieces().isEmpty)
        let sizes = pieces.map { piece in
            piece.parameters.reduce(0) {
                $0 + LogLimits.jsonSize($1.key) + LogLimits.jsonSize($1.value) + 24
            }
        }
        #expect(sizes.allSatisfy { $0 <= LogLimits.bytesMax })
    }

    @Test(
        "Keys that MLflow refuses are refused here, before anything is sent",
        arguments: [
            "", "a*b", "a/../b", "/a", "a//b", ".", "a\nb", String(repeating: "x", count: 251),
        ])
    func keys(_ key: String) {
        #expect(throws: MLflowError.self) { try LogBatch(parameters: [key: "v"]).check() }
        #expect(throws: MLflowError.self) { try LogBatch(tags: [key: "v"]).check() }
        let metric = Metric(key: key, value: 1, timestamp: 1)
        #expect(throws: MLflowError.self) { try LogBatch(metrics: [metric]).check() }
    }

    @Test("Values that MLflow would cut without a word are refused")
    func values() throws {
        try LogBatch(parameters: ["p": String(repeating: "x", count: 6000)]).check()
        #expect(throws: MLflowError.self) {
            try LogBatch(parameters: ["p": String(repeating: "x", count: 6001)]).check()
        }
        #expect(throws: MLflowError.self) {
            try LogBatch(tags: ["p": String(repeating: "x", count: 8001)]).check()
        }
    }

    @Test("Model URIs are read in all their forms and nothing else")
    func modelURIs() throws {
        #expect(try ModelURI("models:/A b/3") == .version(name: "A b", version: "3"))
        #expect(try ModelURI("models:/N@champion") == .alias(name: "N", alias: "champion"))
        #expect(try ModelURI("models:/N/Latest") == .latest(name: "N"))
        #expect(try ModelURI("models:/m-12ab") == .loggedModel(id: "m-12ab"))
        #expect(try ModelURI("runs:/r/a/b") == .run(id: "r", path: ArtifactPath("a/b")))
        for text in ["", "models:/", "models:/N", "runs:/r", "runs:/r/../x", "s3://b/x", "N/3"] {
            #expect(throws: MLflowError.self) { try ModelURI(text) }
        }
    }

    @Test("Different effect keys never become the same tag")
    func effectKeys() throws {
        let keys = ["a b", "a%20b", "a'b", "a\"b", "a`b", "ä", "a%25b", "a/b:1", "%"]
        let texts = try keys.map { try EffectKey($0).text }
        #expect(Set(texts).count == keys.count)
        #expect(texts.allSatisfy { !$0.contains("'") && !$0.contains("`") && !$0.contains(" ") })
        #expect(try EffectKey("job-1/train:v2").text == "job-1/train:v2")
        #expect(throws: MLflowError.self) { try EffectKey("") }
        #expect(throws: MLflowError.self) { try EffectKey(String(repeating: "ä", count: 999)) }
    }
}
