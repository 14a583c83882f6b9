"""Times the growth of forests beside scikit-learn's, on the same rows and one thread each.

    python Benchmarks/forests.py path/to/learning-bench [--threads 1] [--large]
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor


def cases(large):
    """Name, rows, kind, trees, depth, features tried."""
    yield ("75 trees, 2,500 x 20, depth 30, 0.7 of the features", make_classification(
        2500, 20, n_informative=10, n_redundant=10, random_state=42), "c", 75, 30, 0.7)
    yield ("100 trees, 2,500 x 20, 10 classes, sqrt", make_classification(
        2500, 20, n_informative=15, n_redundant=5, n_classes=10, random_state=42),
        "c", 100, 0, "sqrt")
    yield ("20 trees, 10,000 x 20 regression, all features", make_regression(
        10000, 20, noise=10, random_state=42), "r", 20, 0, 1.0)
    if large:
        yield ("20 trees, 80,000 x 50, sqrt", make_classification(
            80000, 50, n_informative=20, n_redundant=10, random_state=42), "c", 20, 0, "sqrt")


def theirs(x, y, kind, trees, depth, features, threads):
    learner = RandomForestClassifier if kind == "c" else RandomForestRegressor
    start = time.perf_counter()
    learner(
        n_estimators=trees, max_depth=depth or None, max_features=features, n_jobs=threads,
        random_state=0).fit(x, y)
    return time.perf_counter() - start


def ours(bench, path, kind, trees, depth, features, threads):
    task = "classification" if kind == "c" else "regression"
    command = [
        bench, "--data", path, "--target", "y", "--task", task, "--threads", str(threads),
        "--param", f"trees={trees}", "--param", f"depth={depth}",
        "--param", f"max_features={features}", "--repeat", "3"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return report["fits"][0]["fit_seconds"], report["load_seconds"]


def export(path, x, y):
    header = ",".join(f"f{i}" for i in range(x.shape[1])) + ",y"
    numpy.savetxt(
        path, numpy.column_stack([x, y]), delimiter=",", header=header, comments="", fmt="%.9g")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    print("| forest | scikit-learn s | Manta s | times faster | CSV MB/s |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "data.csv")
        for name, (x, y), kind, trees, depth, features in cases(arguments.large):
            x = x.astype(numpy.float32)
            export(path, x, y)
            size = pathlib.Path(path).stat().st_size / 1e6
            mine, load = ours(
                arguments.bench, path, kind, trees, depth, features, arguments.threads)
            other = min(
                theirs(x, y, kind, trees, depth, features, arguments.threads) for _ in range(3))
            print(
                f"| {name} | {other:.3f} | {mine:.3f} | {other / mine:.1f} | {size / load:.0f} |",
                flush=True)


if __name__ == "__main__":
    main()
