"""Predicts with written model directories the way their users do; knows nothing of Manta.

Each argument is a folder with `model/` (an MLflow model directory), `rows.f32` (float32, row by row),
`columns.json` and `kinds.json` (per column null for numbers, "boolean", or its levels). Written beside them: `labels.json` and `outputs.f32` from ONNX Runtime on all rows,
and `pyfunc.json` from mlflow.pyfunc on the first rows, columns in order and reversed.
"""

import json
import pathlib
import sys

import mlflow.models
import mlflow.pyfunc
import numpy as np
import onnx
import onnxruntime
import pandas as pd

PYFUNC_ROWS = 60


def frame_of(rows, columns, kinds):
    """The rows as people have them: levels by name, unknown names among the missing ones."""
    series = {}
    for place, (name, kind) in enumerate(zip(columns, kinds)):
        values = rows[:, place].astype(np.float64)
        if kind is None:
            series[name] = values
        elif kind == "boolean":
            truths = [None if np.isnan(value) else bool(value) for value in values]
            series[name] = np.array(truths, dtype=object if None in truths else bool)
        else:
            unknown = [None, "never seen", float("nan")]
            series[name] = [unknown[row % 3] if np.isnan(value) else kind[int(value)]
                            for row, value in enumerate(values)]
    return pd.DataFrame(series)


def runtime_outputs(model_path, frame):
    onnx.checker.check_model(onnx.load(model_path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model_path, options, providers=["CPUExecutionProvider"])
    (feed,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    rows = frame.values
    if rows.dtype == np.float64:
        rows = rows.astype(np.float32)
    return dict(zip(names, session.run(None, {feed.name: rows})))


def pyfunc_outputs(model_path, frame, columns):
    model = mlflow.pyfunc.load_model(str(model_path))
    answers = []
    for given in (frame, frame[columns[::-1]], frame.assign(unused=1.0)):
        answer = model.predict(given)
        answers.append({name: answer[name].tolist() for name in answer.columns})
    return answers


def check_metadata(model_path, columns):
    """What MLflow itself reads back from the directory."""
    model = mlflow.models.Model.load(str(model_path))
    assert model.get_input_schema().input_names() == columns
    example = model.load_input_example(str(model_path))
    answer = mlflow.pyfunc.load_model(str(model_path)).predict(example)
    assert list(answer.columns) == model.get_output_schema().input_names()
    served = mlflow.models.validate_serving_input(
        str(model_path), model.get_serving_input(str(model_path)))
    assert served.equals(answer)


def main(folder):
    columns = json.loads((folder / "columns.json").read_text())
    rows = np.fromfile(folder / "rows.f32", dtype="<f4").reshape(-1, len(columns))
    kinds = json.loads((folder / "kinds.json").read_text())
    frame = frame_of(rows, columns, kinds)
    outputs = runtime_outputs(str(folder / "model/model.onnx"), frame)
    numbers = [value for name, value in outputs.items() if name != "label"]
    assert all(value.shape == (len(rows),) for value in outputs.values())
    np.stack(numbers, axis=1).astype("<f4").tofile(folder / "outputs.f32")
    if "label" in outputs:
        (folder / "labels.json").write_text(json.dumps(outputs["label"].tolist()))
    answers = pyfunc_outputs(folder / "model", frame[:PYFUNC_ROWS], columns)
    for answer in answers:
        assert list(answer) == list(outputs), (list(answer), list(outputs))
        for name, value in outputs.items():
            expected = value[: len(answer[name])].tolist()
            # More threads add in another order: a double's last bit may round a float32 otherwise.
            same = (answer[name] == expected if name == "label"
                    else np.allclose(answer[name], expected, rtol=2e-7, atol=1e-9))
            assert same, f"{folder.name}: {name} differs through mlflow.pyfunc"
    check_metadata(folder / "model", columns)
    (folder / "pyfunc.json").write_text(json.dumps(answers[0]))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        main(pathlib.Path(argument))
