"""Sets our forests beside scikit-learn's on the data sets it ships, and writes ACCURACY.md.

For each data set and seed one split is made, both libraries learn the same rows and are judged on
the same others. Run it with the virtual environment's python:
    python Benchmarks/accuracy.py path/to/learning-bench [--seeds 20] [--write]
"""

import argparse
import json
import math
import pathlib
import platform
import subprocess
import sys
import tempfile

import numpy
import sklearn
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import train_test_split

TREES = 100
# One holdout row of iris is worth more than two points: repeated forests smooth our side and theirs.
LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}


def split(name, seed):
    """Rows of one data set, the holdout's after the training rows."""
    data = LOADERS[name]()
    regression = name == "diabetes"
    parts = train_test_split(
        data.data.astype(numpy.float32), data.target, test_size=0.3, random_state=seed,
        stratify=None if regression else data.target)
    return parts, regression


def export(path, parts):
    x_train, x_test, y_train, y_test = parts
    rows = numpy.vstack([x_train, x_test])
    target = numpy.concatenate([y_train, y_test])
    with open(path, "w") as out:
        out.write(",".join(f"f{i}" for i in range(rows.shape[1])) + ",y\n")
        for row, y in zip(rows, target):
            out.write(",".join(repr(float(v)) for v in row) + f",{y}\n")


def theirs(parts, regression, seed):
    x_train, x_test, y_train, y_test = parts
    kind = RandomForestRegressor if regression else RandomForestClassifier
    return kind(n_estimators=TREES, random_state=seed).fit(x_train, y_train).score(x_test, y_test)


def ours(bench, path, parts, regression, seed):
    command = [
        bench, "train", "--data", path, "--target", "y", "--learner", "forest", "--param",
        f"trees={TREES}", "--train-rows", str(len(parts[0])), "--threads", "2", "--seed",
        str(seed), "--task", "regression" if regression else "classification", "--json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return report["fits"][0]["metrics"]["r2" if regression else "accuracy"]


def measure(bench, name, seeds):
    """Paired scores in points, theirs and ours."""
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            parts, regression = split(name, seed)
            path = str(pathlib.Path(folder) / f"{name}.csv")
            export(path, parts)
            pairs.append((
                100 * theirs(parts, regression, seed),
                100 * ours(bench, path, parts, regression, seed)))
    return pairs


def table(results, seeds):
    lines = [
        "# Accuracy beside scikit-learn",
        "",
        f"Random forests of {TREES} trees with default parameters, {seeds} seeds per data set: each",
        "seed is one stratified split (70 % to learn, 30 % to judge) that both libraries get.",
        "Points are percent of accuracy; for diabetes percent of R². The difference is ours minus",
        "theirs, ± its standard error over the seeds. Written by `Benchmarks/accuracy.py --write`.",
        "",
        f"scikit-learn {sklearn.__version__}, Python {platform.python_version()}.",
        "",
        "| data set | scikit-learn | Manta | difference |",
        "|---|---:|---:|---:|",
    ]
    differences = []
    for name, pairs in results.items():
        difference = [b - a for a, b in pairs]
        mean = sum(difference) / len(difference)
        error = numpy.std(difference, ddof=1) / math.sqrt(len(difference))
        differences.append(mean)
        a = sum(p[0] for p in pairs) / len(pairs)
        b = sum(p[1] for p in pairs) / len(pairs)
        lines.append(f"| {name} | {a:.2f} | {b:.2f} | {mean:+.2f} ± {error:.2f} |")
    mean = sum(differences) / len(differences)
    lines.append(f"| mean | | | {mean:+.2f} |")
    return "\n".join(lines) + "\n", mean


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--sets", nargs="*", default=list(LOADERS))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    results = {
        name: measure(arguments.bench, name, arguments.seeds) for name in arguments.sets}
    text, mean = table(results, arguments.seeds)
    if arguments.write:
        pathlib.Path(__file__).with_name("ACCURACY.md").write_text(text)
    print(text)
    # The promise: on average at most half a point is lost.
    sys.exit(0 if mean >= -0.5 else 1)


if __name__ == "__main__":
    main()
