"""Writes the results of the sections as Markdown tables."""

from training.measure import OURS

TITLES = {
    "boosted": "Boosted: 500 trees of 31 leaves, 50 features",
    "forest": "Forest: 100 trees of depth 12, 50 features",
    "grid": "Trees × leaves × features",
}


def document(kept):
    lines = [
        "# Prediction beside other libraries",
        "",
        "Written by `script/bench predict --write` from the last run of each section. Models of one "
        "shape, each library's",
        "own or one it reads from another; the code is in `Benchmarks/prediction`. Rows differ from "
        "call to call. Rows per",
        "second are medians of rounds by the wall clock. One row is asked through the C interface "
        "where a library has one",
        "(what calling it from Python costs is taken off), and in Yggdrasil's and our own programs "
        "without one.",
        "",
    ]
    for name, title in TITLES.items():
        if name in kept:
            lines += [f"## {title}", "", *conditions(kept[name]), ""]
            lines += (grid if name == "grid" else whole)(kept[name]["result"]) + [""]
    return "\n".join(lines).rstrip() + "\n"


def conditions(section):
    machine = section["machine"]
    return [
        f"{machine['processor']}, {machine['vectors']}, {machine['cores']} cores, load "
        f"{machine['load']:.1f} at the start;",
        ", ".join(f"{k} {v}" for k, v in section["versions"].items()) + "."]


def speeds(answer):
    """Rows per second by batch and threads."""
    return {(f["batch"], f["threads"]): f["rows_per_second"] for f in answer.get("figures", [])}


def alone(answer):
    return next((f["latency"] for f in answer.get("figures", []) if f.get("latency")), None)


def whole(cases):
    lines = []
    for case in cases:
        answers = case["answers"]
        cells = [cell for cell in speeds(answers[OURS]) if cell[0] > 1]
        lines += [
            "| | one row: min | median | p99 | "
            + " | ".join(f"{batch:,} rows, {count} thr." for batch, count in cells) + " |",
            "|---|" + "---:|" * (len(cells) + 3)]
        for who, answer in answers.items():
            if "problem" in answer:
                lines.append(f"| {who} | {answer['problem']} |" + " |" * (len(cells) + 2))
                continue
            one, fast = alone(answer), speeds(answer)
            times = [f"{one[k]:.1f} µs" if one and k in one else "" for k in ("min", "median", "p99")]
            lines.append(
                f"| {who} | " + " | ".join(times) + " | "
                + " | ".join(f"{fast[cell] / 1e3:,.0f}k" if cell in fast else ""
                             for cell in cells) + " |")
        others = [answer for who, answer in answers.items() if who != OURS]
        ours = speeds(answers[OURS])
        ratios = [
            ours[cell] / max((speeds(other).get(cell, 0) for other in others), default=0)
            for cell in cells if any(cell in speeds(other) for other in others)]
        lines.append(
            "| ours over the best other | | | | " + " | ".join(f"{r:.2f}" for r in ratios) + " |")
    return lines


def grid(cases):
    lines = [
        "Thousands of rows per second in batches of 10,000 and microseconds for one row, one "
        "thread; in brackets ours over the best other.", "",
        "| trees × leaves × features | ours | best other | one row: ours | best other |",
        "|---|---:|---|---:|---|"]
    for case in cases:
        answers = case["answers"]
        others = {who: a for who, a in answers.items() if who != OURS and "figures" in a}
        ours = max(v for (batch, _), v in speeds(answers[OURS]).items() if batch > 1)
        best = {
            who: max(v for (batch, _), v in speeds(a).items() if batch > 1)
            for who, a in others.items()}
        times = {who: alone(a)["median"] for who, a in others.items() if alone(a)}
        mine = alone(answers[OURS])["median"]
        first, quickest = max(best, key=best.get), min(times, key=times.get)
        lines.append(
            f"| {case['name']} | {ours / 1e3:,.0f} ({ours / best[first]:.1f}) | "
            f"{first} {best[first] / 1e3:,.0f} | {mine:.2f} ({times[quickest] / mine:.1f}) | "
            f"{quickest} {times[quickest]:.2f} |")
    return lines
