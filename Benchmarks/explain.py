"""Sets our contributions beside shap's on the same trees: CPU seconds for 1,000 rows.

learning-bench trains the models, explains rows and writes the trees; shap's TreeExplainer, whose
loops are C, explains the same rows with the same trees. The sums of all contributions must agree.
    python Benchmarks/explain.py path/to/learning-bench [--rows 1000] [--threads 1] [--json]
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy
import shap
from sklearn.datasets import make_classification

CASES = [
    ("boosted 500 x 31", "boosted", {"rounds": 500, "num_leaves": 31}, 20_000, 50),
    ("boosted 100 x 255", "boosted", {"rounds": 100, "num_leaves": 255}, 20_000, 50),
    ("forest 50 x depth 12", "forest", {"trees": 50, "max_depth": 12}, 10_000, 20),
]


def data(path, rows, features):
    x, y = make_classification(
        rows, features, n_informative=features // 2, n_redundant=features // 5, flip_y=0.1,
        random_state=7)
    x = x.astype(numpy.float32)
    with open(path, "w") as out:
        out.write(",".join(f"f{i}" for i in range(features)) + ",y\n")
        for row, label in zip(x, y):
            out.write(",".join(repr(float(v)) for v in row) + f",{label}\n")
    return x


def trees(path):
    """The trees as shap takes them, and the base scores."""
    raw = numpy.fromfile(path, dtype=numpy.int32)
    count, width, outputs, averaged = raw[:4]
    base = raw[4:4 + outputs].view(numpy.float32).astype(float)
    at, found = 4 + outputs, []
    for _ in range(count):
        nodes, values = raw[at:at + 2]
        at += 2
        feature, threshold, missing, child, cover = (
            raw[at + k * nodes:at + (k + 1) * nodes] for k in range(5))
        at += 5 * nodes
        leaf = feature < 0
        leaves = raw[at:at + values].view(numpy.float32).astype(float).reshape(-1, width)
        at += values
        table = numpy.zeros((nodes, width))
        table[leaf] = leaves[child[leaf]] / (count if averaged else 1)
        found.append({
            "children_left": numpy.where(leaf, -1, child),
            "children_right": numpy.where(leaf, -1, child + 1),
            "children_default": numpy.where(leaf, -1, child + 1 - missing),
            "features": feature, "thresholds": threshold.view(numpy.float32).astype(float),
            "values": table, "node_sample_weight": cover.view(numpy.float32).astype(float)})
    return found, base


def theirs(path, x, repeat):
    found, _ = trees(path)
    explainer = shap.TreeExplainer(
        {"trees": found, "base_offset": 0.0}, feature_perturbation="tree_path_dependent")
    rows, times = x.astype(float), []
    for _ in range(repeat):
        start = time.process_time()
        values = explainer.shap_values(rows, check_additivity=False)
        times.append(time.process_time() - start)
    return sorted(times)[repeat // 2] / len(x) * 1_000, float(numpy.abs(values).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench")
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--their-rows", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = []
    with tempfile.TemporaryDirectory() as folder:
        for name, learner, parameters, rows, features in CASES:
            path = pathlib.Path(folder, "data.csv")
            x = data(path, rows, features)
            out = pathlib.Path(folder, "trees")
            command = [
                options.bench, "shap", "--data", path, "--target", "y", "--learner", learner,
                "--rows", str(options.rows), "--threads", str(options.threads),
                "--trees-out", out]
            for key, value in parameters.items():
                command += ["--param", f"{key}={value}"]
            mine = json.loads(subprocess.check_output(list(map(str, command))))
            few = min(options.their_rows, options.rows)
            seconds, total = theirs(out, x[-few:], 3)
            if few == options.rows and abs(total / mine["absolute_sum"] - 1) > 1e-6:
                raise SystemExit(f"{name}: sums are {mine['absolute_sum']} and {total}")
            report.append({
                "case": name, "leaves": mine["leaves"],
                "ours": mine["cpu_seconds_per_thousand_rows"], "shap": seconds,
                "factor": seconds / mine["cpu_seconds_per_thousand_rows"],
                "one_row_microseconds": mine["microseconds_for_one_row"],
                "additivity_error": mine["additivity_error"]})
    if options.json:
        print(json.dumps(report))
        return
    print(f"shap {shap.__version__}, CPU seconds for 1,000 rows; additivity against float32 scores")
    for line in report:
        print(
            f"{line['case']:22} {line['leaves']:7} leaves  ours {line['ours']:.3f} s  "
            f"shap {line['shap']:.3f} s  {line['factor']:.1f} times  "
            f"one row {line['one_row_microseconds']:.0f} us  "
            f"error {line['additivity_error']:.1e}")


main()
