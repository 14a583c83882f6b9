import Foundation
import TestSupport
import Testing

/// The whole loop on real parts: submit train.swift, train, log, register, load, predict.
@Suite struct LoopTests {
    private static var repository: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }

    @Test("The main job is recorded and served, and Python's answers are ours")
    func train() async throws {
        let mlflow = try await MLflowServer.shared()
        let cluster = try await TestCluster.start(workers: 2, mlflowURL: mlflow.url)
        let gateway = try await cluster.startGateway()
        let early = try await post("\(gateway)/fastapi_app/predict", "{\"features\": [[1]]}")
        #expect(early.out.hasSuffix("503"), "\(early.out)")
        #expect(early.out.contains("/fastapi_app/model/load"))

        let trained = try await cluster.manta([
            "job", "submit", "--submission-id", "loop", Self.repository + "/jobs/train.swift", "--",
            "--width", "75", "--height", "30", "--steps", "200",
        ])
        #expect(trained.exit == .code(0), "\(trained.err)\n\(trained.out)")
        for line in [
            "Training RandomForest(n_estimators=75, max_depth=30, max_features=0.7)\n",
            "Created version '1' of model 'RandomForestClassifierModel'.\n",
            "Training completed: {\"accuracy\": ",
        ] {
            #expect(trained.out.contains(line), "\(trained.out)")
        }
        let result = try await cluster.manta(["job", "result", "loop", "--json"]).out
        for key in ["accuracy", "model_source", "run_id"] { #expect(result.contains("\"\(key)\"")) }

        let loaded = try await post("\(gateway)/fastapi_app/model/load", nil)
        #expect(loaded.out.hasSuffix("200"), "\(loaded.out)")
        let checked = try await Python.run(
            Self.check, arguments: [mlflow.url, gateway + "/fastapi_app/predict"])
        #expect(checked == "agreed\n")
        await cluster.stop()
    }

    /// curl as a person types it; the status stands at the end of the output.
    private func post(_ url: String, _ body: String?) async throws -> TestCluster.Output {
        var arguments = ["-s", "-w", "%{http_code}", "-X", "POST", url]
        if let body { arguments += ["-H", "Content-Type: application/json", "-d", body] }
        return try await CommandRun.run(
            "curl", arguments, environment: ProcessInfo.processInfo.environment, in: "/tmp")
    }

    /// What the run says, and 500 rows answered by pyfunc and by the gateway.
    private static let check = """
        import json, sys, urllib.request
        import mlflow, numpy, pandas

        mlflow.set_tracking_uri(sys.argv[1])
        client = mlflow.MlflowClient()
        version = client.get_model_version("RandomForestClassifierModel", "1")
        run = client.get_run(version.run_id)
        assert run.info.status == "FINISHED", run.info.status
        assert client.get_experiment(run.info.experiment_id).name == "simple_model_training"
        assert run.data.params == {
            "width": "75", "height": "30", "steps": "200", "n_estimators": "75",
            "max_depth": "30", "max_features": "0.7", "n_samples": "2500",
            "model_type": "RandomForestClassifier",
        }, run.data.params
        assert set(run.data.metrics) == {"accuracy", "holdout_accuracy", "final_loss"}
        assert run.data.metrics["holdout_accuracy"] > 0.9, run.data.metrics
        losses = client.get_metric_history(run.info.run_id, "final_loss")
        assert [m.step for m in losses] == list(range(200)), len(losses)
        assert abs(losses[-1].value - (1 / (0.1 + 75 * 199 / 100) + 0.1 * 30)) < 1e-12
        assert len(run.inputs.dataset_inputs) == 1

        model = mlflow.pyfunc.load_model("models:/RandomForestClassifierModel/1")
        names = [c.name for c in model.metadata.signature.inputs.inputs]
        rows = numpy.random.default_rng(5).normal(0, 2, (500, len(names))).round(6)
        ours = pandas.DataFrame(model.predict(pandas.DataFrame(rows, columns=names)))
        request = urllib.request.Request(
            sys.argv[2], json.dumps({"features": rows.tolist()}).encode(),
            {"Content-Type": "application/json"})
        reply = json.load(urllib.request.urlopen(request))
        there = numpy.array(reply["probabilities"])
        here = ours[["prob_0", "prob_1"]].to_numpy(dtype=float)
        assert abs(here - there).max() <= 1e-6, abs(here - there).max()
        close = abs(here[:, 0] - here[:, 1]) < 1e-6
        same = ours["label"].to_numpy() == numpy.array(reply["predictions"])
        assert (same | close).all()
        assert reply["model_version"] == "1"
        print("agreed")
        """
}
