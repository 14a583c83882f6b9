# tritonclient against a gateway on the port given: describe, infer, load, statistics, errors.
import sys

port = int(sys.argv[1])

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException
client = http.InferenceServerClient(f"127.0.0.1:{port}")
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("Iris") and client.is_model_ready("Iris", "1")
assert not client.is_model_ready("Words")
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
metadata = client.get_model_metadata("Iris")
assert [i["name"] for i in metadata["inputs"]] == ["x", "y", "z"], metadata
assert client.get_model_config("Iris")["name"] == "Iris"

rows = np.array([[0.2, 1, 2], [0.9, 1, np.nan]], dtype=np.float32)
def matrix(binary, rows=rows, type="FP32"):
    tensor = http.InferInput("input", list(rows.shape), type)
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return tensor
result = client.infer("Iris", [matrix(True)], request_id="r-1")
assert result.get_response()["id"] == "r-1", result.get_response()
assert result.as_numpy("predict").tolist() == [[0], [1]]
assert result.as_numpy("predict").dtype == np.int64
shares = np.array([[0.75, 0.25], [0.1, 0.9]], dtype=np.float32)
assert (result.as_numpy("predict_proba") == shares).all()

whole = rows.copy(); whole[1, 2] = 5
for binary_in in (True, False):
    for binary_out in (True, False):
        for type, kind in (("FP32", np.float32), ("FP64", np.float64)):
            result = client.infer(
                "Iris", [matrix(binary_in, whole.astype(kind), type)],
                model_version="1",
                outputs=[http.InferRequestedOutput("predict_proba",
                                                   binary_data=binary_out)])
            assert (result.as_numpy("predict_proba") == shares).all()
            assert result.as_numpy("predict") is None

columns = []
for name, values, type in (("y", [[1], [1]], "INT64"), ("x", [[0.2], [0.9]], "FP64")):
    column = http.InferInput(name, [2, 1], type)
    column.set_data_from_numpy(
        np.array(values, dtype=np.int64 if type == "INT64" else np.float64))
    columns.append(column)
assert client.infer("Iris", columns).as_numpy("predict").tolist() == [[0], [1]]
for algorithm in ("gzip", "deflate"):
    result = client.infer("Iris", [matrix(True)],
                          request_compression_algorithm=algorithm,
                          response_compression_algorithm=algorithm)
    assert result.as_numpy("predict").tolist() == [[0], [1]]

index = {m["name"]: m["state"] for m in client.get_model_repository_index()}
assert index == {"Iris": "READY", "Words": "UNAVAILABLE"}, index
client.load_model("Words")
assert client.is_model_ready("Words", "3")
words = client.infer("Words", [matrix(True)])
assert words.as_numpy("predict").tolist() == [[b"no"], [b"yes"]]
client.unload_model("Words")
assert not client.is_model_ready("Words")

statistics = client.get_inference_statistics("Iris")["model_stats"][0]
assert statistics["inference_stats"]["success"]["count"] == 12, statistics
for call, text in (
        (lambda: client.infer("zz", [matrix(True)]), "Model zz not found"),
        (lambda: client.infer("Iris", [matrix(True)], model_version="9"),
         "Model Iris with version 9 not found"),
        (lambda: client.infer("Iris", [matrix(True, rows[:, :2].copy())]), "3 columns"),
        (lambda: client.load_model("Nothing"), "no registered model")):
    try:
        call()
        assert False, "no error: " + text
    except InferenceServerException as error:
        assert text in error.message(), error.message()
print("all well")
