"""metrics.py IN OUT: scikit-learn's figures for each case in IN, as JSON in OUT.

What scikit-learn leaves undefined (it warns, or gives NaN) is left out.
"""

import json
import math
import sys
import warnings

import numpy
from sklearn import metrics

warnings.simplefilter("ignore")


def classes_figures(given, truth, weights):
    shares = numpy.array(given["probabilities"], dtype=numpy.float32)
    classes = list(range(shares.shape[1]))
    answers = shares.argmax(axis=1)
    figures = {
        "accuracy": metrics.accuracy_score(truth, answers, sample_weight=weights),
        "f1_macro": metrics.f1_score(truth, answers, average="macro", sample_weight=weights),
        "log_loss": metrics.log_loss(truth, shares, labels=classes, sample_weight=weights),
        "brier": metrics.brier_score_loss(
            truth, shares, labels=classes, sample_weight=weights),
    }
    counted = truth if weights is None else truth[weights > 0]
    present = set(counted.astype(int))
    if len(classes) == 2:
        figures["f1"] = metrics.f1_score(truth, answers, sample_weight=weights)
        if 1 in present:
            figures["pr_auc"] = metrics.average_precision_score(
                truth, shares[:, 1], sample_weight=weights)
    elif len(present) == len(classes):
        figures["pr_auc"] = metrics.average_precision_score(truth, shares, sample_weight=weights)
    if len(present) == len(classes):
        figures["roc_auc"] = metrics.roc_auc_score(
            truth, shares[:, 1] if len(classes) == 2 else shares, multi_class="ovr",
            sample_weight=weights)
    confusion = metrics.confusion_matrix(truth, answers, labels=classes)
    weighted = metrics.confusion_matrix(truth, answers, labels=classes, sample_weight=weights)
    return figures, confusion.tolist(), weighted.tolist()


def values_figures(given, truth, weights):
    answers = numpy.array(given["values"], dtype=numpy.float32).astype(float)
    figures = {
        "rmse": metrics.root_mean_squared_error(truth, answers, sample_weight=weights),
        "mae": metrics.mean_absolute_error(truth, answers, sample_weight=weights),
        "r2": metrics.r2_score(truth, answers, sample_weight=weights),
    }
    if (truth >= 0).all() and (answers > 0).all():
        figures["poisson_deviance"] = metrics.mean_poisson_deviance(
            truth, answers, sample_weight=weights)
    for quantile in given.get("quantiles", []):
        figures[f"pinball_{quantile}"] = metrics.mean_pinball_loss(
            truth, answers, alpha=quantile, sample_weight=weights)
    return figures, [], []


def figures_of(given):
    weights = given.get("weights")
    if weights is not None:  # Decimals of float32 numbers.
        weights = numpy.array(weights, dtype=numpy.float32).astype(float)
    truth = numpy.array(given["truth"])
    make = classes_figures if "probabilities" in given else values_figures
    figures, confusion, weighted = make(given, truth, weights)
    return {
        "metrics": {k: float(v) for k, v in figures.items() if math.isfinite(v)},
        "confusion": confusion,
        "confusionWeights": weighted,
    }


with open(sys.argv[1]) as file:
    cases = json.load(file)
with open(sys.argv[2], "w") as file:
    json.dump([figures_of(case) for case in cases], file)
