"""explanations.py CASES OUT: what shap and scikit-learn say of given trees.

CASES is a JSON list of models: their trees' arrays, base scores, rows, whether trees are averaged,
and one or two features with a grid. OUT gets, per model, the contributions of shap's TreeExplainer
(feature f of output k of row r at [r][k][f]) with its expected values, and scikit-learn's partial
dependence, by averaging over the rows, on the same trees.
"""

import json
import sys

import numpy
import shap
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence


def floats(numbers):
    """The numbers that the digits stand for: the nearest ones of float32."""
    return numpy.array(numbers, dtype=numpy.float32).astype(numpy.float64)


def as_tree(tree, scale):
    values = floats(tree["values"]) * scale
    return {
        "children_left": numpy.array(tree["left"]), "children_right": numpy.array(tree["right"]),
        "children_default": numpy.array(tree["missing"]),
        "features": numpy.array(tree["features"]),
        "thresholds": floats(tree["thresholds"]),
        "values": values, "node_sample_weight": floats(tree["cover"])}


class Walker(RegressorMixin, BaseEstimator):
    """Answers with one output of the trees, node by node."""

    def __init__(self, trees=None, base=0.0, output=0):
        self.trees, self.base, self.output = trees, base, output

    def fit(self, x, y=None):
        self.fitted_ = True
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def predict(self, x):
        x = numpy.asarray(x, dtype=numpy.float64)
        sums = numpy.full(len(x), float(self.base))
        for tree in self.trees:
            node = numpy.zeros(len(x), dtype=int)
            while True:
                feature = tree["features"][node]
                inner = tree["children_left"][node] >= 0
                if not inner.any():
                    break
                value = x[numpy.arange(len(x)), numpy.maximum(feature, 0)]
                left = value <= tree["thresholds"][node]
                child = numpy.where(
                    numpy.isnan(value), tree["children_default"][node],
                    numpy.where(
                        left, tree["children_left"][node], tree["children_right"][node]))
                node = numpy.where(inner, child, node)
            sums += tree["values"][node, self.output]
        return sums


answers = []
for case in json.load(open(sys.argv[1])):
    scale = 1 / len(case["trees"]) if case["averaged"] else 1
    trees = [as_tree(tree, scale) for tree in case["trees"]]
    x = floats([[numpy.nan if v is None else v for v in row] for row in case["rows"]])
    bases = floats(case["base"])
    explainer = shap.TreeExplainer(
        {"trees": trees, "base_offset": 0.0}, feature_perturbation="tree_path_dependent")
    values = numpy.asarray(explainer.shap_values(x, check_additivity=False))
    if values.ndim == 2:
        values = values[:, :, None]
    expected = numpy.atleast_1d(explainer.expected_value) + bases
    dependence = []
    for output, base in enumerate(bases):
        walker = Walker(trees, base, output).fit(x)
        grids = dict(zip(case["features"], [floats(g) for g in case["grids"]]))
        found = partial_dependence(
            walker, x, case["features"], custom_values=grids, method="brute", kind="both")
        dependence.append({
            "average": found["average"][0].ravel().tolist(),
            "curves": found["individual"][0].reshape(len(x), -1).tolist()})
    grid = partial_dependence(walker, x, case["features"][:1], kind="average")
    answers.append({
        "contributions": values.transpose(0, 2, 1).tolist(), "expected": expected.tolist(),
        "dependence": dependence, "grid": grid["grid_values"][0].tolist()})
json.dump(answers, open(sys.argv[2], "w"))
