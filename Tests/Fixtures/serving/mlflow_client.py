# MLflow's scoring client and its payloads against a gateway on the port given.
import sys

port = int(sys.argv[1])

import numpy as np, pandas as pd, requests
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
client = ScoringServerClient("127.0.0.1", port)
client.wait_server_ready(timeout=30)
assert client.get_version().split(".")[0].isdigit()
frame = pd.DataFrame({"y": [1.0, 1.0], "x": [0.2, 0.9], "z": [2.0, np.nan]})
reply = client.invoke(frame)
assert list(reply.get_predictions()[0]) == [0, 1], reply
reply = client.invoke(np.array([[0.2, 1, 2], [0.9, 1, 2]]))
assert list(reply.get_predictions()[0]) == [0, 1], reply

url = f"http://127.0.0.1:{port}/invocations"
def post(data, type):
    return requests.post(url, data=data, headers={"Content-Type": type})
for orient in ("split", "records"):
    body = '{"dataframe_%s": %s}' % (orient, frame.to_json(orient=orient))
    reply = post(body, "application/json")
    assert reply.json() == {"predictions": [0, 1]}, reply.text
reply = post(frame.to_csv(index=False), "text/csv")
assert reply.json() == {"predictions": [0, 1]}, reply.text
assert post(frame.to_csv(), "text/csv; charset=utf-8").json() == {"predictions": [0, 1]}
frame.loc[0, "x"] = np.nan
for reply in (post(frame.to_csv(), "text/csv"),
              post('{"dataframe_split": %s}' % frame.to_json(orient="split"),
                   "application/json")):
    assert reply.status_code == 400, reply.text
    assert reply.json()["error_code"] == "BAD_REQUEST", reply.text
try:
    client.invoke(frame)
    assert False, "a missing value in a required column"
except Exception as error:
    assert "data[0][1]" in str(error) and "400" in str(error), error
assert post("x", "application/x-parquet").status_code == 415
print("all well")
