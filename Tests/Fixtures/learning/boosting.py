"""boosting.py CSV OUT SEED...: rows with interactions, and scikit-learn's boosted scores on them.

Writes CSV.SEED with the holdout rows after the training rows; OUT gets, per seed, the number of
training rows, the log loss of a classifier and, on the same rows, the RMSE of a regressor (the
column "value"), both of 60 rounds and 15 leaves.
"""

import json
import sys

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss, mean_squared_error

path, out = sys.argv[1:3]
splits = []
for seed in map(int, sys.argv[3:]):
    chance = numpy.random.default_rng(seed)
    x = chance.normal(size=(2400, 6)).astype(numpy.float32)
    x[chance.random(x.shape) < 0.05] = numpy.nan
    full = numpy.nan_to_num(x, nan=0.5)
    value = full[:, 0] * full[:, 1] + numpy.sin(2 * full[:, 2]) + numpy.abs(full[:, 3])
    value = value + 0.3 * chance.normal(size=len(x))
    label = (chance.random(len(x)) < 1 / (1 + numpy.exp(-2 * value))).astype(int)
    train = 1600
    settings = dict(
        max_iter=60, max_leaf_nodes=15, learning_rate=0.1, l2_regularization=1,
        min_samples_leaf=20, early_stopping=False)
    classifier = HistGradientBoostingClassifier(**settings).fit(x[:train], label[:train])
    regressor = HistGradientBoostingRegressor(**settings).fit(x[:train], value[:train])
    splits.append({
        "seed": seed, "train": train,
        "logLoss": log_loss(label[train:], classifier.predict_proba(x[train:])),
        "rmse": mean_squared_error(value[train:], regressor.predict(x[train:])) ** 0.5})
    with open(f"{path}.{seed}", "w") as file:
        file.write(",".join(f"f{i}" for i in range(x.shape[1])) + ",label,value\n")
        for row, a, b in zip(x, label, value):
            cells = ["" if numpy.isnan(v) else repr(float(v)) for v in row]
            file.write(",".join(cells) + f",{a},{float(b)!r}\n")
with open(out, "w") as file:
    json.dump(splits, file)
