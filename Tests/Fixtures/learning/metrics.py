"""metrics.py IN OUT: scikit-learn's figures for the answers in IN, as JSON in OUT."""

import json
import sys

import numpy
from sklearn import metrics

with open(sys.argv[1]) as file:
    given = json.load(file)
truth = numpy.array(given["truth"])
if "probabilities" in given:
    shares = numpy.array(given["probabilities"], dtype=numpy.float32)
    classes = list(range(shares.shape[1]))
    answers = shares.argmax(axis=1)
    figures = {
        "accuracy": metrics.accuracy_score(truth, answers),
        "f1_macro": metrics.f1_score(truth, answers, average="macro"),
        "log_loss": metrics.log_loss(truth, shares, labels=classes),
    }
    if len(classes) == 2:
        figures["roc_auc"] = metrics.roc_auc_score(truth, shares[:, 1])
    confusion = metrics.confusion_matrix(truth, answers, labels=classes).tolist()
else:
    answers = numpy.array(given["values"])
    figures = {
        "rmse": metrics.root_mean_squared_error(truth, answers),
        "mae": metrics.mean_absolute_error(truth, answers),
        "r2": metrics.r2_score(truth, answers),
    }
    confusion = []
with open(sys.argv[2], "w") as file:
    json.dump({"metrics": {k: float(v) for k, v in figures.items()}, "confusion": confusion}, file)
