"""The sections of the benchmark: which models, which batches, who is asked."""

import json
import os
import sys
import time

import numpy
from sklearn import metrics

from training import datasets, measure
from training.measure import OURS

BATCHES = [1, 32, 1000, 100_000]
# Two threads on one core would say nothing, and some libraries refuse them.
THREADS = [count for count in (1, 2) if count <= len(os.sched_getaffinity(0))]
BOOSTED = ("LightGBM", "XGBoost", "Yggdrasil", "ONNX Runtime", "oneDAL", "tl2cgen", "scikit-learn")
FOREST = BOOSTED
# Compiling hundreds of large trees takes minutes, and scikit-learn would train its own.
GRID_PEERS = ("LightGBM", "XGBoost", "Yggdrasil", "ONNX Runtime", "oneDAL")
GRID_BATCHES = [1, 10_000]
# Trees, leaves, features: around every change of layout, and beyond.
GRID = [
    *((500, leaves, 50) for leaves in (8, 31, 64, 65, 128, 129, 256)),
    *((trees, 31, 50) for trees in (10, 100, 1000)),
    *((500, leaves, features) for features in (10, 200) for leaves in (31, 256)),
    *((trees, 2048, features) for trees, features in ((10, 50), (100, 10), (100, 50), (100, 200))),
    (100, 4096, 50),
]
# What counts in the grid is the trees' shape; 4,096 leaves still have enough rows each.
GRID_ROWS = 40_000
# No cell of the grid needs more: medians of five rounds.
GRID_SECONDS_MAX = 0.2
# A library that hangs is a library that cannot run.
TIMEOUT = 900


def note(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """Our program, and the settings of this run of the benchmark."""

    def __init__(self, program, seconds, prepare):
        self.program, self.seconds, self.prepare = program, seconds, prepare

    def ask(self, who, case, batches, threads, seconds):
        """What one library makes of a case: figures, or the reason that there are none."""
        if self.prepare:
            batches, threads, seconds = [1], [1], 0.01
        try:
            if who == OURS:
                return ours(self, case, batches, threads, seconds)
            wanted = {
                "peer": who, "case": case, "batches": batches, "threads": threads,
                "seconds": seconds}
            return measure.printed(
                [sys.executable, "-m", "prediction.peers", json.dumps(wanted)],
                measure.environment(max(threads)) | {"PYTHONPATH": str(measure.BENCHMARKS)},
                TIMEOUT)
        except measure.Problem as problem:
            if who == OURS:
                raise
            note(f"  {who}: {problem}")
            return {"problem": str(problem).splitlines()[-1]}


def ours(bench, case, batches, threads, seconds):
    data = datasets.DataSet(case["data"])
    command = [
        bench.program, "predict", "--data", str(data.csv), "--target", "y",
        "--task", "classification", "--train-rows", str(data.train_rows), "--threads", "2",
        "--fit-rows", str(case.get("fit_rows", data.train_rows)),
        "--batch", ",".join(map(str, batches)), "--predict-threads", ",".join(map(str, threads)),
        "--cell-seconds", str(seconds), "--model", case["model"], "--answers", case["answers"],
        *learner(case)]
    found = measure.printed(command, measure.environment(2), TIMEOUT)
    _, y = data.arrays()
    scores = numpy.fromfile(case["answers"], dtype=numpy.float32).reshape(-1, found["outputs"])
    return found | {"auc": float(metrics.roc_auc_score(y[data.train_rows:], scores[:, -1]))}


def learner(case):
    """What grows the case's trees, as `learning-bench` takes it."""
    if case["family"] == "boosted":
        words = [("num_iterations", case["trees"]), ("num_leaves", case["leaves"])]
        if case["leaves"] > 500:  # Or the rows would not be enough for so many leaves.
            words += [("min_data_in_leaf", 5), ("min_sum_hessian_in_leaf", 0)]
    else:
        words = [("n_estimators", case["trees"]), ("max_depth", case["depth"])]
    parameters = [word for name, value in words for word in ("--param", f"{name}={value}")]
    return ["--learner", case["family"], *parameters]


def compare(bench, name, case, libraries, batches, threads, seconds):
    note(f"{name}:")
    answers = {}
    for who in (OURS, *libraries):
        start = time.monotonic()
        answers[who] = bench.ask(who, case, batches, threads, seconds)
        for figure in answers[who].get("figures", []):
            alone = figure.get("latency") or {}
            one = alone.get("median", alone.get("mean"))
            note(f"  {who:14} batch {figure['batch']:6} threads {figure['threads']} "
                 f"{figure['rows_per_second']:12,.0f} rows/s  "
                 + (f"{one:.2f} µs " if one else "") + figure.get("engine", ""))
        note(f"  {who:14} took {time.monotonic() - start:.0f} s")
    return {"name": name, "answers": answers}


def case(family, features, **shape):
    data = datasets.classification(100_000, features)
    name = "-".join([data.name, family, *(str(number) for number in shape.values())])
    folder = datasets.cache_folder() / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "family": family, "data": str(data.folder), "model": str(folder / "manta.trees"),
        "answers": str(folder / "manta.answers")} | shape


def boosted(bench):
    return [compare(
        bench, "500 trees of 31 leaves, 50 features",
        case("boosted", 50, trees=500, leaves=31), BOOSTED, BATCHES, THREADS, bench.seconds)]


def forest(bench):
    return [compare(
        bench, "100 trees of depth 12, 50 features",
        case("forest", 50, trees=100, depth=12), FOREST, BATCHES, THREADS, bench.seconds)]


def grid(bench):
    """Boosted models of many shapes, one thread."""
    seconds = min(GRID_SECONDS_MAX, bench.seconds)
    return [
        compare(
            bench, f"{trees} × {leaves} × {features}",
            case("boosted", features, trees=trees, leaves=leaves, fit_rows=GRID_ROWS),
            GRID_PEERS, GRID_BATCHES, [1], seconds)
        for trees, leaves, features in GRID]
