# KServe's first protocol over plain HTTP against a gateway on the port given.
import sys

port = int(sys.argv[1])

import requests
base = f"http://127.0.0.1:{port}/v1/models"
assert requests.get(base).json() == {"models": ["Iris"]}
assert requests.get(base + "/Iris").json() == {"name": "Iris", "ready": True}
reply = requests.post(base + "/Iris:predict", json={"instances": [[0.2, 1, 2]]})
assert reply.json() == {"predictions": [0]}, reply.text
reply = requests.post(base + "/Iris%3Apredict", json={"instances": [[0.2, 1, 2]]})
assert reply.json() == {"predictions": [0]}, reply.text
reply = requests.post(base + "/Iris:predict", json={"instances": [[0.2]]})
assert reply.status_code == 400 and "error" in reply.json()
print("all well")
