"""Our contributions of features beside those of shap, LightGBM and XGBoost, of the same trees.

`learning-bench shap` keeps the trees and writes what it found. shap's TreeExplainer, whose loops
are C and take one thread, and the other two, which have threads, explain fewer rows: they are
slower, and each row costs the same.
"""

import tempfile
import time

import numpy

from prediction import peers, sections
from training import datasets, measure
from training.measure import OURS

# Name, family, features, shape, and what our learner calls the shape.
CASES = [
    ("500 boosted trees of 31 leaves", "boosted", 50, {"trees": 500, "leaves": 31}),
    ("100 boosted trees of 255 leaves", "boosted", 50, {"trees": 100, "leaves": 255}),
    ("100 trees of depth 12", "forest", 50, {"trees": 100, "depth": 12}),
]
# XGBoost adds float32; the others' distances are rounding of float64.
DIFFERENCE_MAX = 1e-3
ROUNDS = 3


def explain(bench, rows, their_rows):
    return [compare(bench, *case, rows, their_rows) for case in CASES]


def compare(bench, name, family, features, shape, rows, their_rows):
    case = sections.case(family, features, **shape)
    sections.note(f"{name}:")
    found = {"name": name, "features": features, "answers": {OURS: {}}}
    with tempfile.NamedTemporaryFile() as values:
        for threads in sections.THREADS:
            report = ours(bench, case, rows, threads, values.name)
            found["answers"][OURS][threads] = 1000 / report["seconds_per_thousand_rows"]
        contributions = numpy.fromfile(values.name).reshape(rows, -1, features)[:, -1]
    found |= {key: report[key] for key in (
        "trees", "leaves", "microseconds_for_one_row", "additivity_error")}
    sections.note(f"  {OURS:10} {found['answers'][OURS]}")
    data = datasets.DataSet(case["data"])
    x = data.arrays()[0][-their_rows:]
    for who, asker in ASKERS.items():
        try:
            found["answers"][who] = theirs(asker, case, x, contributions[-their_rows:])
        except Exception as problem:  # Its reason stands in the report.
            found["answers"][who] = {"problem": f"{type(problem).__name__}: {problem}"[:300]}
        sections.note(f"  {who:10} {found['answers'][who]}")
    return found


def ours(bench, case, rows, threads, values):
    command = [
        bench.program, "shap", "--data", str(datasets.DataSet(case["data"]).csv), "--target", "y",
        "--task", "classification", "--train-rows", "80000", "--rows", str(rows), "--threads",
        str(threads), "--model", case["model"], "--values", values, *sections.learner(case)]
    return measure.printed(command, measure.environment(threads), sections.TIMEOUT)


def theirs(asker, case, x, expected):
    found = {}
    for threads in sections.THREADS:
        ask = asker(case, threads)
        if ask is None:
            continue
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            values = ask(x)
            times.append(time.perf_counter() - start)
        found[threads] = len(x) / float(numpy.median(times))
    difference = float(numpy.abs(values - expected).max())
    if not difference <= DIFFERENCE_MAX:
        raise peers.Differs(f"contributions are up to {difference:.2g} away from ours")
    return found | {"difference": difference}


# --- The other libraries: from rows to contributions of the second class -------------------------


def shap_asker(case, threads):
    import shap

    if threads > 1:
        return None
    ensemble = peers.ensemble(case)
    explainer = shap.TreeExplainer(
        {"trees": [arrays(ensemble, index) for index in range(len(ensemble.trees))],
         "base_offset": 0.0}, feature_perturbation="tree_path_dependent")
    return lambda x: explainer.shap_values(
        x.astype(float), check_additivity=False).reshape(len(x), -1)


def arrays(ensemble, index):
    tree, leaf = ensemble.trees[index], ensemble.trees[index].is_leaf
    values = numpy.where(leaf, ensemble.leaf_values(index)[tree.leaf_numbers()], 0)
    return {
        "children_left": numpy.where(leaf, -1, tree.left),
        "children_right": numpy.where(leaf, -1, tree.left + 1),
        "children_default": numpy.where(leaf, -1, tree.left + 1 - tree.missing_left),
        "features": tree.feature, "thresholds": tree.threshold.astype(float),
        "values": values.reshape(-1, 1), "node_sample_weight": tree.cover.astype(float)}


def lightgbm_asker(case, threads):
    booster = peers.lightgbm_model(case)
    return lambda x: booster.predict(x, pred_contrib=True, num_threads=threads)[:, :-1]


def xgboost_asker(case, threads):
    import xgboost

    booster = peers.xgboost_model(case)
    booster.set_param({"nthread": threads})
    return lambda x: booster.predict(xgboost.DMatrix(x), pred_contribs=True)[:, :-1]


ASKERS = {"shap": shap_asker, "LightGBM": lightgbm_asker, "XGBoost": xgboost_asker}


# --- The page's section --------------------------------------------------------------------------


def table(cases):
    lines = [
        "Rows per second that path-dependent TreeSHAP explains; \"off\" is the largest distance of",
        "a contribution from ours.", "",
        "| | trees | leaves | one row | ours, 1 thr. | 2 thr. | "
        + " | ".join(f"{who}, 1 thr. | 2 thr. | off" for who in ASKERS) + " |",
        "|---|" + "---:|" * (5 + 3 * len(ASKERS))]
    refused = []
    for case in cases:
        cells = [
            case["name"], f"{case['trees']}", f"{case['leaves']:,}",
            f"{case['microseconds_for_one_row']:.0f} µs"]
        answers = {who: {str(k): v for k, v in a.items()} for who, a in case["answers"].items()}
        for who in (OURS, *ASKERS):
            answer = answers[who]
            cells += [f"{answer[t]:,.0f}" if t in answer else "" for t in ("1", "2")]
            if who != OURS:
                cells.append(f"{answer['difference']:.0e}" if "difference" in answer else "")
            if "problem" in answer:
                refused.append(f"- {who} has no figures for {case['name']}: {answer['problem']}")
        lines.append("| " + " | ".join(cells) + " |")
    return lines + ([""] + refused if refused else [])
