/// Writes the text files that make a directory an MLflow model: `MLmodel` and the environments.
///
/// YAML is written by hand so that its form is fixed. Every string from outside stands in double
/// quotes with JSON's escapes, which YAML shares.
struct MLmodelWriter {
    /// Releases that the tests load and run written models with.
    static let pythonVersion = "3.11.7"
    static let onnxVersion = "1.23.2"
    static let onnxRuntimeVersion = "1.31.1"

    let facts: MLmodelFacts
    let signature: ModelSignature
    let modelDigest: FileDigest

    var mlmodel: String {
        var lines: [String] = []
        if let path = facts.artifactPath { lines.append("artifact_path: \(Self.quoted(path))") }
        lines += [
            "flavors:",
            "  python_function:",
            "    loader_module: mlflow.onnx",
            "    data: \(ModelDirectory.onnxPath)",
            "    env:",
            "      conda: conda.yaml",
            "      virtualenv: python_env.yaml",
            "    python_version: \(Self.pythonVersion)",
            "  onnx:",
            "    data: \(ModelDirectory.onnxPath)",
            "    onnx_version: \(Self.onnxVersion)",
            "    providers:",
            "    - CPUExecutionProvider",
            "    code: null",
            "metadata:",
            "  \(ModelDirectory.digestKey): \(modelDigest.hex)",
            "mlflow_version: \(Self.quoted(facts.mlflowVersion))",
        ]
        if let id = facts.modelID { lines.append("model_id: \(Self.quoted(id))") }
        lines.append(
            "model_uuid: \(Self.quoted(facts.modelID ?? String(modelDigest.hex.prefix(32))))")
        if let id = facts.runID { lines.append("run_id: \(Self.quoted(id))") }
        lines += [
            "saved_input_example_info:",
            "  artifact_path: input_example.json",
            "  pandas_orient: split",
            "  serving_input_path: serving_input_example.json",
            "  type: dataframe",
            "signature:",
            "  inputs: \(Self.quoted(signature.inputsJSON))",
            "  outputs: \(Self.quoted(signature.outputsJSON))",
            "  params: null",
            "utc_time_created: '\(facts.createdText)'",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    var requirements: String {
        packages.joined(separator: "\n") + "\n"
    }

    var pythonEnvironment: String {
        """
        python: \(Self.pythonVersion)
        build_dependencies:
        - pip
        - setuptools
        - wheel
        dependencies:
        - -r requirements.txt

        """
    }

    var condaEnvironment: String {
        """
        channels:
        - conda-forge
        dependencies:
        - python=\(Self.pythonVersion)
        - pip
        - pip:
        \(packages.map { "  - \($0)" }.joined(separator: "\n"))
        name: mlflow-env

        """
    }

    private var packages: [String] {
        // A requirements line has no quoting: whatever cannot be part of a version is left out.
        let version = facts.mlflowVersion.filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || ".+!-_".contains($0))
        }
        return [
            "mlflow==\(version)", "onnx==\(Self.onnxVersion)",
            "onnxruntime==\(Self.onnxRuntimeVersion)",
        ]
    }

    /// A YAML double-quoted scalar. `*` is escaped because `MLmodelReader` takes it for an alias.
    private static func quoted(_ text: String) -> String {
        JSONText.string(text)
            .split(separator: "*", omittingEmptySubsequences: false).joined(separator: "\\x2A")
    }
}
