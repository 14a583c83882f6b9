"""forest.py SET CSV OUT SEED...: one split of a data set per seed, and scikit-learn's scores on them.

Writes CSV.SEED with the holdout rows after the training rows; OUT gets, per seed, the number of
training rows and the score of a forest of 50 trees.
"""

import json
import sys

import numpy
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import train_test_split

name, path, out = sys.argv[1:4]
data = getattr(datasets, f"load_{name}")()
is_regression = name == "diabetes"
splits = []
for seed in map(int, sys.argv[4:]):
    parts = train_test_split(
        data.data.astype(numpy.float32), data.target, test_size=0.3, random_state=seed,
        stratify=None if is_regression else data.target)
    x_train, x_test, y_train, y_test = parts
    learner = RandomForestRegressor if is_regression else RandomForestClassifier
    score = learner(50, random_state=seed).fit(x_train, y_train).score(x_test, y_test)
    with open(f"{path}.{seed}", "w") as file:
        file.write(",".join(f"f{i}" for i in range(x_train.shape[1])) + ",y\n")
        for x, y in ((x_train, y_train), (x_test, y_test)):
            for row, target in zip(x, y):
                file.write(",".join(repr(float(v)) for v in row) + f",{target}\n")
    splits.append({"seed": seed, "train": len(x_train), "score": score})
with open(out, "w") as file:
    json.dump(splits, file)
