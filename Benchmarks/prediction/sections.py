"""The sections of the benchmark: which models, which batches, who is asked."""

import json
import sys

from prediction import peers
from training import datasets, measure
from training.measure import OURS

BATCHES, THREADS = [1, 32, 1000, 100_000], [1, 2]
# Trees are grown on few rows: what counts here is their shape.
GRID = {"trees": (10, 100, 500, 1000), "leaves": (8, 31, 64, 256), "features": (10, 50, 200)}
GRID_PEERS = ("LightGBM", "XGBoost", "ONNX Runtime", "oneDAL")
GRID_BATCHES = [1, 10_000]


def note(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """Our program, and the settings of this run of the benchmark."""

    def __init__(self, program, seconds, prepare):
        self.program, self.seconds, self.prepare = program, seconds, prepare

    def ask(self, who, case, batches, threads):
        """What one library makes of a case: figures, or the reason that there are none."""
        try:
            if who == OURS:
                return ours(self, case, batches, threads)
            wanted = {
                "peer": who, "case": case, "batches": [1] if self.prepare else batches,
                "threads": [1] if self.prepare else threads, "seconds": self.seconds}
            return {"figures": measure.printed(
                [sys.executable, "-m", "prediction.peers", json.dumps(wanted)],
                measure.environment(max(threads)) | {"PYTHONPATH": str(measure.BENCHMARKS)})}
        except measure.Problem as problem:
            note(f"  {who}: {problem}")
            return {"problem": str(problem).splitlines()[-1]}


def ours(bench, case, batches, threads):
    data = datasets.DataSet(case["data"])
    command = [
        bench.program, "predict", "--data", str(data.csv), "--target", "y",
        "--task", "classification", "--train-rows", str(data.train_rows), "--threads", "2",
        "--batch", ",".join(map(str, batches)), "--predict-threads", ",".join(map(str, threads)),
        "--cell-seconds", str(0.01 if bench.prepare else bench.seconds)]
    if case["family"] == "boosted":
        words = [("num_iterations", case["trees"]), ("num_leaves", case["leaves"])]
        if case["leaves"] > 500:
            words += [("min_data_in_leaf", 5), ("min_sum_hessian_in_leaf", 0)]
        command += ["--learner", "boosted"]
    else:
        words = [("n_estimators", case["trees"]), ("max_depth", case["depth"])]
        command += ["--learner", "forest"]
    for name, value in words:
        command += ["--param", f"{name}={value}"]
    return measure.printed(command, measure.environment(2))


def compare(bench, name, case, libraries, batches, threads):
    note(f"{name}:")
    answers = {}
    for who in (OURS, *libraries):
        answers[who] = bench.ask(who, case, batches, threads)
        for figure in answers[who].get("figures", []):
            alone = figure.get("latency") or {}
            note(f"  {who:14} batch {figure['batch']:6} threads {figure['threads']} "
                 f"{figure['rows_per_second']:12,.0f} rows/s  "
                 + (f"{alone['median']:.2f} µs" if alone else ""))
    return {"name": name, "answers": answers}


def case(family, features, **shape):
    data = datasets.classification(100_000, features)
    return {"family": family, "data": str(data.folder)} | shape


def boosted(bench):
    return [compare(
        bench, "500 trees of 31 leaves, 50 features",
        case("boosted", 50, trees=500, leaves=31), peers.BOOSTED, BATCHES, THREADS)]


def forest(bench):
    return [compare(
        bench, "100 trees of depth 12, 50 features",
        case("forest", 50, trees=100, depth=12), peers.FOREST, BATCHES, THREADS)]


def grid(bench):
    """Boosted models of many shapes, one thread."""
    return [
        compare(
            bench, f"{trees} × {leaves} × {features}",
            case("boosted", features, trees=trees, leaves=leaves), GRID_PEERS, GRID_BATCHES, [1])
        | {"trees": trees, "leaves": leaves, "features": features}
        for features in GRID["features"] for leaves in GRID["leaves"] for trees in GRID["trees"]]
