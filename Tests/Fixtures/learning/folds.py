"""folds.py IN OUT: rows of each class in each of scikit-learn's folds, for each case in IN."""

import json
import sys

import numpy
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

with open(sys.argv[1]) as file:
    cases = json.load(file)


def counts(case):
    labels = numpy.array(case["labels"])
    rows = numpy.zeros((len(labels), 1))
    groups = case.get("groups")
    kinds = {"stratified": StratifiedKFold, "grouped": GroupKFold, "both": StratifiedGroupKFold}
    splitter = kinds[case["kind"]](case["folds"])
    width = labels.max() + 1
    return [
        numpy.bincount(labels[held], minlength=width).tolist()
        for _, held in splitter.split(rows, labels, groups)]


with open(sys.argv[2], "w") as file:
    json.dump([counts(case) for case in cases], file)
