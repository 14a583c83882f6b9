import Foundation
import TestSupport
import Testing

@testable import MLflow

/// MLflow's own Python client and ours understand each other.
@Suite struct PythonTests {
    @Test("Python reads what we logged")
    func pythonReads() async throws {
        let server = try await MLflowServer.shared()
        let client = try await realClient()
        let name = MLflowServer.unique("for-python")
        var options = RunRecorder.Options()
        options.experiment = name
        options.name = "from swift"
        let runID = try await withFolder { folder in
            try write("flavors: {}", to: folder + "/MLmodel")
            try write("text", to: folder + "/data/ä b.txt")
            return try await RunRecorder(client).run(options) { run in
                try await run.log(parameters: ["depth": "3"])
                for step in 0..<5 {
                    try await run.log(metric: "loss", 1 / Double(step + 1), step: Int64(step))
                }
                try await run.log(metric: "odd", .nan)
                try await run.logArtifact(folder + "/data/ä b.txt", as: "notes/ä b.txt")
                try await run.log(inputs: [
                    DatasetInput(
                        name: "iris", digest: "abc", sourceType: "local",
                        source: #"{"uri": "iris.csv"}"#, context: "training")
                ])
                let model = try await run.logModelDirectory(
                    folder, as: NewLoggedModel(name: "model"))
                _ = try await run.register(model, as: name, aliases: ["champion"])
                return run.id
            }
        }
        let script = """
            import json, math, mlflow, sys
            uri, run_id, name = sys.argv[1:]
            mlflow.set_tracking_uri(uri)
            client = mlflow.MlflowClient()
            run = client.get_run(run_id)
            version = client.get_model_version_by_alias(name, "champion")
            path = mlflow.artifacts.download_artifacts("models:/" + name + "@champion")
            print(json.dumps({
                "name": run.info.run_name, "status": run.info.status, "params": run.data.params,
                "odd": math.isnan(run.data.metrics["odd"]),
                "loss": [m.value for m in client.get_metric_history(run_id, "loss")],
                "note": mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/ä b.txt"),
                "dataset": run.inputs.dataset_inputs[0].dataset.name,
                "outputs": len(run.outputs.model_outputs),
                "version": int(version.version), "status_of_version": version.status,
                "mlmodel": open(path + "/MLmodel").read(),
            }))
            """
        struct Seen: Decodable, Equatable {
            var name, status, note, dataset, statusOfVersion, mlmodel: String
            var params: [String: String]
            var odd: Bool
            var loss: [Double]
            var outputs, version: Int
        }
        let output = try await Python.run(script, arguments: [server.url, runID, name])
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let line = try #require(output.split(separator: "\n").last)
        let seen = try decoder.decode(Seen.self, from: Data(line.utf8))
        #expect(
            seen
                == Seen(
                    name: "from swift", status: "FINISHED", note: "text", dataset: "iris",
                    statusOfVersion: "READY", mlmodel: "flavors: {}", params: ["depth": "3"],
                    odd: true, loss: [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5], outputs: 1, version: 1))
    }

    @Test("We read what Python logged")
    func weRead() async throws {
        let server = try await MLflowServer.shared()
        let client = try await realClient()
        let name = MLflowServer.unique("from-python")
        let script = """
            import mlflow, sys
            uri, name = sys.argv[1:]
            mlflow.set_tracking_uri(uri)
            mlflow.set_experiment(name)
            class Twice(mlflow.pyfunc.PythonModel):
                def predict(self, context, model_input, params=None):
                    return model_input
            with mlflow.start_run(run_name="python") as run:
                mlflow.log_param("p", 1)
                mlflow.log_metric("m", float("inf"), step=-2)
                mlflow.log_text("hello", "a/b.txt")
                mlflow.pyfunc.log_model(name="model", python_model=Twice(),
                                        registered_model_name=name, pip_requirements=["mlflow"])
            print(run.info.run_id)
            """
        let output = try await Python.run(script, arguments: [server.url, name])
        let id = try #require(output.split(separator: "\n").first { $0.count == 32 })
        let run = try await client.run(id: String(id))
        #expect(run.name == "python" && run.parameters == ["p": "1"] && run.status == .finished)
        #expect(run.metrics.first { $0.key == "m" }?.step == -2)
        let version = try #require(try await client.latestVersion(of: name))
        try await withFolder { folder in
            try await client.downloadArtifact(
                "a/b.txt", of: try #require(run.artifactURI), to: folder + "/b.txt")
            #expect(try String(contentsOfFile: folder + "/b.txt", encoding: .utf8) == "hello")
            try await client.downloadModel(version, to: folder + "/model")
            let text = try String(contentsOfFile: folder + "/model/MLmodel", encoding: .utf8)
            #expect(text.contains("python_function"))
            // The same model by the name it has in its run.
            let uri = try await client.artifactURI(of: ModelURI("runs:/\(run.id)/model"))
            #expect(uri == (try await client.artifactURI(of: version)))
        }
    }
}
