"""child.py SPEC: fits one library's learner in a process of its own and prints figures as JSON.

The clock of the processor runs around the fit alone: reading the arrays and importing the library
come before it, judging after it. Memory is what the fit adds at its peak to what the process held.
"""

import ctypes
import json
import resource
import sys
import time

import numpy

from training import datasets, learners


def status(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def forget_peak():
    """Gives back what reading has freed, so that a fit does not live on it unseen."""
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def metrics(task, truth, answer):
    from sklearn import metrics as judge

    if task == "regression":
        return {
            "rmse": judge.root_mean_squared_error(truth, answer),
            "r2": judge.r2_score(truth, answer)}
    answer = answer.astype(numpy.float32)  # Ours are: a sure answer costs the same.
    labels = numpy.arange(2 if task == "binary" else answer.shape[1])
    best = answer > 0.5 if task == "binary" else answer.argmax(axis=1)
    return {
        "accuracy": judge.accuracy_score(truth, best),
        "log_loss": judge.log_loss(truth, answer, labels=labels),
        "roc_auc": judge.roc_auc_score(
            truth, answer if task == "binary" else spread(answer), multi_class="ovr",
            labels=labels)}


def spread(shares):
    """Rows that add up to 1 as float64, which scikit-learn insists on."""
    shares = shares.astype(float)
    return shares / shares.sum(axis=1, keepdims=True)


def main():
    spec = json.loads(sys.argv[1])
    data = datasets.DataSet(spec["data"])
    x, y = data.arrays()
    count = spec.get("rows") or data.train_rows
    # Each part stands alone, so that no library pays for the other's rows.
    x_train, y_train = x[:count].copy(), y[:count].copy()
    x_test, y_test = x[data.train_rows:].copy(), y[data.train_rows:].copy()
    del x, y
    spec |= {"task": data.task, "categorical": data.categorical}
    __import__(learners.MODULES[spec["learner"]])
    if spec["learner"] == "scikit-learn":
        __import__("sklearn.ensemble")
    fits = []
    for _ in range(spec.get("repeats", 1)):
        forget_peak()
        before, start, wall = status("VmRSS"), seconds(), time.perf_counter()
        predict = learners.PEERS[spec["learner"]](x_train, y_train, spec)
        fits.append({
            "cpu_seconds": seconds() - start, "wall_seconds": time.perf_counter() - wall,
            "peak_bytes": status("VmHWM") - before})
    start = seconds()
    answer = predict(x_test)
    took = seconds() - start
    print(json.dumps({
        "fits": fits, "predict_cpu_seconds": took,
        "metrics": {k: float(v) for k, v in metrics(data.task, y_test, answer).items()}}))


if __name__ == "__main__":
    main()
