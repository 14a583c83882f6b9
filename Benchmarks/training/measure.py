"""Runs learners, ours and theirs, each in a process of its own, and takes medians."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

OURS = "Manta"
BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent


class Problem(Exception):
    """A run that failed, with what it printed."""


class Bench:
    """Our program, and the settings of this run of the benchmark."""

    def __init__(self, program, quick=False, seeds=3):
        self.program, self.quick, self.seeds = program, quick, 1 if quick else seeds

    def run(self, learner, data, spec):
        """One process: fits with `spec`, judges on the rows that `data` holds out."""
        if learner == OURS:
            return self.ours(data, spec)
        return theirs(learner, data, spec)

    def command(self, data, spec):
        """The words that start our program for a fit."""
        command = [
            self.program, "train", "--data", str(data.csv), "--target", "y",
            "--task", "regression" if data.task == "regression" else "classification",
            "--train-rows", str(data.train_rows), "--threads", str(spec["threads"]),
            "--seed", str(spec["seed"]), "--repeat", str(spec.get("repeats", 1)),
            "--learner", {"boosted": "boosted", "forest": "forest"}[spec["family"]], "--json"]
        if spec.get("rows"):
            command += ["--fit-rows", str(spec["rows"])]
        for name, value in our_parameters(spec):
            command += ["--param", f"{name}={value}"]
        return command

    def ours(self, data, spec):
        report = printed(self.command(data, spec), environment(spec["threads"]))
        fit = report["fits"][0]
        return {
            "fits": [{
                "cpu_seconds": run["cpu_seconds"], "wall_seconds": run["seconds"],
                "peak_bytes": run["peak_bytes"]} for run in fit["runs"]],
            "predict_cpu_seconds": fit["predict_cpu_seconds"], "metrics": fit["metrics"]}


def theirs(learner, data, spec):
    wanted = json.dumps(spec | {"learner": learner, "data": str(data.folder)})
    return printed(
        [sys.executable, "-m", "training.child", wanted],
        environment(spec["threads"]) | {"PYTHONPATH": str(BENCHMARKS)})


def our_parameters(spec):
    if spec["family"] == "boosted":
        return [
            ("num_iterations", spec["rounds"]), ("num_leaves", spec["leaves"]),
            ("max_bin", spec["bins"]), ("learning_rate", spec["rate"]), ("lambda_l2", spec["l2"])]
    return [
        ("n_estimators", spec["trees"]), ("max_depth", spec["depth"]),
        ("max_features", spec["features"])]


def environment(threads):
    """As many threads as asked, for libraries that only listen to the environment."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "MKL_NUM_THREADS")
    return os.environ | {name: str(threads) for name in names}


def printed(command, environment, timeout=None):
    """The JSON in the last line of what a program prints; `timeout` is in seconds."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Problem(f"stopped after {timeout} s without an answer") from None
    if done.returncode != 0:
        raise Problem(f"{pathlib.Path(command[0]).name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(bench, learners, data, spec, note=print, seeds=None):
    """Medians of times and means of metrics over the seeds, for each learner.

    Learners take turns, so that a busy minute of the machine does not fall on one of them. `data`
    is a set, or a function from the seed to one.
    """
    runs = {learner: [] for learner in learners}
    for seed in range(seeds or bench.seeds):
        rows = data(seed) if callable(data) else data
        for learner in learners[seed % len(learners):] + learners[:seed % len(learners)]:
            report = bench.run(learner, rows, spec | {"seed": seed})
            runs[learner].append(report)
            note(f"  {learner:14} seed {seed}  {middle(report, 'cpu_seconds'):8.3f} s  "
                 + "  ".join(f"{k} {v:.5f}" for k, v in sorted(report["metrics"].items())))
    return {learner: summary(reports) for learner, reports in runs.items()}


def middle(report, field):
    return statistics.median(fit[field] for fit in report["fits"])


def summary(reports):
    samples = {
        name: [r["metrics"][name] for r in reports] for name in reports[0]["metrics"]
        if all(name in r["metrics"] for r in reports)}
    return {
        "cpu_seconds": statistics.median(middle(r, "cpu_seconds") for r in reports),
        "cpu_samples": [round(middle(r, "cpu_seconds"), 4) for r in reports],
        "wall_seconds": statistics.median(middle(r, "wall_seconds") for r in reports),
        # Later fits of a process reuse what the first one freed: only the first counts.
        "peak_bytes": statistics.median(r["fits"][0]["peak_bytes"] for r in reports),
        "metrics": {name: statistics.mean(values) for name, values in samples.items()},
        "metric_samples": samples,
    }
