"""linear.py KIND CSV OUT: coefficients of scikit-learn's Ridge or LogisticRegression, as JSON."""

import json
import sys

import numpy
from sklearn.linear_model import LogisticRegression, Ridge

kind, path, out = sys.argv[1:]
table = numpy.loadtxt(path, delimiter=",", skiprows=1)
x, y = table[:, :-1], table[:, -1]
model = Ridge(alpha=2.0) if kind == "ridge" else LogisticRegression(
    C=0.5, tol=1e-10, max_iter=100_000)
model.fit(x, y)
with open(out, "w") as file:
    json.dump({
        "coefficients": numpy.atleast_2d(model.coef_).tolist(),
        "intercepts": numpy.atleast_1d(model.intercept_).tolist(),
    }, file)
