"""synthetic.py OUT CLASSES CSV...: sets our rows beside make_classification's, as JSON in OUT.

Each CSV holds 2,000 rows of 20 columns made with 10 informative and 10 redundant ones and its own seed.
Scores are a scikit-learn forest's on the last 1,000 rows.
"""

import json
import sys

import numpy
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

CLASSES = int(sys.argv[2])


def facts(x, y):
    forest = RandomForestClassifier(50, random_state=0).fit(x[:1000], y[:1000])
    return {
        "score": forest.score(x[1000:], y[1000:]),
        "counts": numpy.bincount(y.astype(int)).tolist(),
        "deviation": float(x.std()),
        "rank": int(numpy.linalg.matrix_rank(x - x.mean(axis=0), tol=1e-2)),
    }


tables = [numpy.loadtxt(path, delimiter=",", skiprows=1) for path in sys.argv[3:]]
theirs = [
    facts(*make_classification(
        2000, 20, n_informative=10, n_redundant=10, n_classes=CLASSES, random_state=seed))
    for seed in range(10)]
with open(sys.argv[1], "w") as file:
    json.dump({"ours": [facts(t[:, :-1], t[:, -1]) for t in tables], "theirs": theirs}, file)
