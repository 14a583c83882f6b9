"""Predicts with written model directories the way their users do; knows nothing of Manta.

Each argument is a folder with `model/` (an MLflow model directory), `rows.f32` (float32, row by row)
and `columns.json`. Written beside them: `labels.json` and `outputs.f32` from ONNX Runtime on all rows,
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


def runtime_outputs(model_path, rows):
    onnx.checker.check_model(onnx.load(model_path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model_path, options, providers=["CPUExecutionProvider"])
    (feed,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {feed.name: rows})))


def pyfunc_outputs(model_path, rows, columns):
    model = mlflow.pyfunc.load_model(str(model_path))
    frame = pd.DataFrame(rows.astype(np.float64), columns=columns)
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
    outputs = runtime_outputs(str(folder / "model/model.onnx"), rows)
    numbers = [value for name, value in outputs.items() if name != "label"]
    assert all(value.shape == (len(rows),) for value in outputs.values())
    np.stack(numbers, axis=1).astype("<f4").tofile(folder / "outputs.f32")
    if "label" in outputs:
        (folder / "labels.json").write_text(json.dumps(outputs["label"].tolist()))
    answers = pyfunc_outputs(folder / "model", rows[:PYFUNC_ROWS], columns)
    for answer in answers:
        assert list(answer) == list(outputs), (list(answer), list(outputs))
        for name, value in outputs.items():
            expected = value[: len(answer[name])].tolist()
            assert answer[name] == expected, f"{folder.name}: {name} differs through mlflow.pyfunc"
    check_metadata(folder / "model", columns)
    (folder / "pyfunc.json").write_text(json.dumps(answers[0]))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        main(pathlib.Path(argument))
