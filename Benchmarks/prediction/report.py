"""Writes the results of the sections as Markdown tables."""

import textwrap

from prediction import contributions
from training.measure import OURS

TITLES = {
    "boosted": "Boosted: 500 trees of 31 leaves, 50 features",
    "forest": "Forest: 100 trees of depth 12, 50 features",
    "grid": "Trees × leaves × features",
    "explain": "Contributions of features beside shap",
}
INTRODUCTION = """\
# Prediction beside other libraries

Written by `script/bench predict --write` from the last run of each section; the code is in
`Benchmarks/prediction`. All libraries answer with the same trees, which are ours in the form of
each; only scikit-learn takes no others' and has its own of the same shape. "Off" is the largest
distance of a share from ours over 20,000 rows that were not trained on, "AUC" the area under the
curve there; a library that is further off than 10⁻⁴ is refused.

Rows per second are medians of rounds by the wall clock, over rows that differ from call to call.
LightGBM (single rows by its fast path) and XGBoost are asked through their C interfaces, a row
through tl2cgen's compiled function; of single rows what calling these from Python costs is taken
off. Yggdrasil's own benchmark asks with each of its engines without Python, the fastest counts,
and it tells a mean for one row. scikit-learn, oneDAL and ONNX Runtime are asked from Python.
"""


def document(kept):
    lines = INTRODUCTION.splitlines() + [""]
    for name, title in TITLES.items():
        if name in kept:
            lines += [f"## {title}", "", *conditions(kept[name]), ""]
            lines += TABLES[name](kept[name]["result"]) + [""]
    return "\n".join(lines).rstrip() + "\n"


def conditions(section):
    machine = section["machine"]
    return [
        f"{machine['processor']}, {machine['vectors']}, {machine['cores']} cores, load "
        f"{machine['load']:.1f} at the start;",
        *textwrap.wrap(
            ", ".join(f"{k} {v}" for k, v in section["versions"].items()) + ".", 100)]


# --- One model, all libraries --------------------------------------------------------------------


def speeds(answer):
    """Rows per second by batch and threads."""
    return {(f["batch"], f["threads"]): f["rows_per_second"] for f in answer.get("figures", [])}


def alone(answer):
    """Times of one row: min, median and p99, or only a mean."""
    return next((f["latency"] for f in answer.get("figures", []) if f.get("latency")), {})


def typical(answer):
    times = alone(answer)
    return times.get("median", times.get("mean"))


def fastest(answers, cell):
    """The other library of most rows a second in a cell, and its figure."""
    found = {who: speeds(a)[cell] for who, a in answers.items()
             if who != OURS and cell in speeds(a)}
    who = max(found, key=found.get, default=None)
    return who, found.get(who)


def quickest(answers):
    """The other library that answers one row soonest, and its figure."""
    found = {who: typical(a) for who, a in answers.items() if who != OURS and typical(a)}
    who = min(found, key=found.get, default=None)
    return who, found.get(who)


def whole(cases):
    return [line for case in cases for line in one_case(case["answers"])]


def one_case(answers):
    cells = [cell for cell in speeds(answers[OURS]) if cell[0] > 1]
    lines = [
        shape(answers[OURS]), "",
        "| | one row: min | median | p99 | "
        + " | ".join(f"{batch:,} rows, {count} thr." for batch, count in cells)
        + " | off | AUC |",
        "|---|" + "---:|" * (len(cells) + 5)]
    lines += [row(who, answer, cells) for who, answer in answers.items() if "problem" not in answer]
    lines += ratios(answers, cells)
    return lines + problems(answers) + engines(answers)


def shape(answer):
    layouts = answer["layouts"]
    return (
        f"{answer['trees']} trees of {answer['mean_leaves']:.1f} leaves and depth "
        f"{answer['mean_depth']:.1f} in the mean.\nOur layouts: {layouts['alone']} for a row "
        f"alone, {layouts['together']} for many; arranged in {answer['build_seconds'] * 1e3:.1f} ms.")


def row(who, answer, cells):
    one, fast = alone(answer), speeds(answer)
    times = [f"{one[k]:.1f} µs" if k in one else "" for k in ("min", "median", "p99")]
    if "mean" in one:
        times[1] = f"mean {one['mean']:.1f} µs"
    off = answer.get("difference")
    return (
        f"| {who} | " + " | ".join(times) + " | "
        + " | ".join(f"{fast[cell] / 1e3:,.0f}k" if cell in fast else "" for cell in cells)
        + f" | {'' if off is None else f'{off:.0e}'} | {answer['auc']:.4f} |")


def ratios(answers, cells):
    """Who is best beside us in each cell, and ours over theirs."""
    ours, mine = speeds(answers[OURS]), typical(answers[OURS])
    who, time = quickest(answers)
    best = [fastest(answers, cell) for cell in cells]
    names = [name or "" for name, _ in best]
    found = [f"{ours[cell] / speed:.2f}" if speed else "" for cell, (_, speed) in zip(cells, best)]
    one = f"{time / mine:.2f}" if time else ""
    threads = [f"{ours[cell] / ours[cell[0], 1]:.2f}" if cell[1] > 1 else "" for cell in cells]
    return [
        f"| best other | | {who or ''} | | " + " | ".join(names) + " | | |",
        f"| ours over it | | {one} | | " + " | ".join(found) + " | | |",
        "| our threads over one | | | | " + " | ".join(threads) + " | | |"]


def problems(answers):
    found = [f"- {who} has no figures: {answer['problem']}"
             for who, answer in answers.items() if "problem" in answer]
    return ["", *found] if found else []


def engines(answers):
    found = []
    for who, answer in answers.items():
        names = {f["engine"] for f in answer.get("figures", []) if "engine" in f}
        if names:
            found.append(f"{who}'s engine: {', '.join(sorted(names))}.")
    return ["", *found] if found else []


# --- Many shapes ---------------------------------------------------------------------------------


def grid(cases):
    lines = [
        "One thread: thousands of rows per second in batches of 10,000, microseconds for one row;",
        "in brackets ours over the best other.", "",
        "| trees × leaves × features | depth | a row alone by | many by | rows/s: ours "
        "| best other | one row: ours | best other |",
        "|---|---:|---|---|---:|---|---:|---|"]
    refused = []
    for case in cases:
        answers, ours = case["answers"], case["answers"][OURS]
        cell = next(cell for cell in speeds(ours) if cell[0] > 1)
        speed, mine = speeds(ours)[cell], typical(ours)
        (first, best), (soonest, time) = fastest(answers, cell), quickest(answers)
        lines.append(
            f"| {case['name']} | {ours['mean_depth']:.1f} | {ours['layouts']['alone']} | "
            f"{ours['layouts']['together']} | {speed / 1e3:,.0f}"
            + (f" ({speed / best:.2f}) | {first} {best / 1e3:,.0f} | " if best else " | | ")
            + f"{mine:.2f}"
            + (f" ({time / mine:.2f}) | {soonest} {time:.2f} |" if time else " | |"))
        refused += [f"- {who} has no figures for {case['name']}: {answer['problem']}"
                    for who, answer in answers.items() if "problem" in answer]
    return lines + ([""] + refused if refused else [])


TABLES = {"boosted": whole, "forest": whole, "grid": grid, "explain": contributions.table}
