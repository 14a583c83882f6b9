"""linear.py KIND OPTIONS CSV OUT: what scikit-learn's Ridge or LogisticRegression finds, as JSON.

OPTIONS is a JSON object of the model's parameters; "indicators" lists columns of codes that are
one-hot encoded. The table's last two columns are the target and the rows' weights.
"""

import json
import sys

import numpy
from sklearn.linear_model import LogisticRegression, Ridge

kind, options, path, out = sys.argv[1:]
table = numpy.loadtxt(path, delimiter=",", skiprows=1)
x, y, weights = table[:, :-2], table[:, -2], table[:, -1]
options = json.loads(options)
for column in sorted(options.pop("indicators", []), reverse=True):
    levels = numpy.arange(x[:, column].max() + 1)
    indicators = (x[:, column, None] == levels).astype(float)
    x = numpy.hstack([numpy.delete(x, column, 1), indicators])
if kind == "ridge":
    model = Ridge(**options)
else:
    if "class_weight" in options:
        options["class_weight"] = {int(k): v for k, v in options["class_weight"].items()}
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12, **options)
model.fit(x, y, sample_weight=weights)
answers = model.predict(x) if kind == "ridge" else model.predict_proba(x)
with open(out, "w") as file:
    json.dump({
        "coefficients": numpy.atleast_2d(model.coef_).tolist(),
        "intercepts": numpy.atleast_1d(model.intercept_).tolist(),
        "answers": answers.ravel().tolist(),
    }, file)
