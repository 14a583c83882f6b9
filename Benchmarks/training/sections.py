"""The sections of the benchmark. Each takes a `Bench` and returns what its table holds."""

import contextlib
import statistics
import subprocess
import sys

from training import datasets, measure, profile
from training.measure import OURS

BOOSTED = {"family": "boosted", "rounds": 100, "leaves": 31, "bins": 255, "rate": 0.1, "l2": 1.0}
FOREST = {"family": "forest"}


def note(text):
    print(text, file=sys.stderr, flush=True)


def shrunk(bench, rows):
    return rows // 10 if bench.quick else rows


def case(bench, name, learners, data, spec, seeds=None):
    """`data` is a set, or a function from a seed to one; `seeds` is `bench.seeds` unless given."""
    note(f"{name}:")
    return {"name": name, "results": measure.compare(bench, learners, data, spec, note, seeds)}


# One forest's quality varies more from seed to seed than learners do from each other.
FOREST_SEEDS = 5
# Where the edges of bins fall moves the error on one set by a quarter of a percent, for any learner.
REGRESSION_SEEDS = 10
FIRST_SEED = 42


def classification(bench, rows, *shape, **options):
    """A set per seed: what is left of chance in one set's rows would pass for a difference."""
    return lambda seed: datasets.classification(
        shrunk(bench, rows), *shape, **options, seed=FIRST_SEED + seed)


def regression(bench, rows, features):
    return lambda seed: datasets.regression(
        shrunk(bench, rows), features, seed=FIRST_SEED + seed)


def boosting(bench):
    """100 rounds of 31 leaves; the rows of the name train, a quarter as many judge."""
    learners = [OURS, "LightGBM", "XGBoost", "scikit-learn"]
    spec = BOOSTED | {"threads": 1}
    seeds = max(bench.seeds, REGRESSION_SEEDS) if not bench.quick else bench.seeds
    sets = [
        ("800k × 28, two classes", classification(bench, 1_000_000, 28), None),
        ("80k × 50, two classes", classification(bench, 100_000, 50), None),
        ("80k × 30, five classes", classification(bench, 100_000, 30, 5), None),
        ("160k × 20, regression", regression(bench, 200_000, 20), seeds),
    ]
    return [case(bench, name, learners, data, spec, seeds) for name, data, seeds in sets]


def forests(bench):
    """Bootstrapped trees of one forest each; few trees where each is large."""
    everyone = [OURS, "scikit-learn", "Yggdrasil", "LightGBM", "XGBoost"]
    seeds = max(bench.seeds, FOREST_SEEDS) if not bench.quick else bench.seeds
    deep = {"depth": 16, "features": "sqrt", "threads": 1}
    return [
        case(
            bench, "80k × 50, 20 trees of depth 16, √features", everyone,
            classification(bench, 100_000, 50), FOREST | deep | {"trees": 20}, seeds),
        case(
            bench, "800k × 28, 3 trees to the end, √features", [OURS, "scikit-learn"],
            classification(bench, 1_000_000, 28), FOREST | deep | {"trees": 3, "depth": 0}, seeds),
        case(
            bench, "1,500 × 20, 75 trees of depth 30, 0.7 of the features", everyone,
            lambda seed: datasets.classification(
                20_000, 20, train_rows=1_500, seed=FIRST_SEED + seed),
            FOREST | {
                "trees": 75, "depth": 30, "features": 0.7, "threads": 1, "repeats": 5}, seeds),
    ]


@contextlib.contextmanager
def spinner(threads):
    """Processes that do nothing but run, beside what is measured."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(threads)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def threads(bench):
    """Wall and processor time with one and two threads, alone and beside two busy processes."""
    data = datasets.classification(shrunk(bench, 1_000_000), 28)
    learners = [OURS, "LightGBM", "XGBoost", "scikit-learn"]
    rows = []
    for beside in (False, True):
        with spinner(2) if beside else contextlib.nullcontext():
            for count in (1, 2):
                name = f"{count} thread" + ("s" if count > 1 else "")
                rows.append(case(
                    bench, name + (", two-thread spinner beside" if beside else ""), learners,
                    data, BOOSTED | {"threads": count}))
    return rows


QUALITY_SEEDS = 5
# Areas for classes; what is judged by it stays within its meaning for every learner.
JUDGED_BY = {"binary": "roc_auc", "classes": "roc_auc", "regression": "rmse"}


def quality(bench):
    """Every learner on ten data sets of five seeds each."""
    families = [
        ("boosting", BOOSTED | {"threads": 1},
         [OURS, "LightGBM", "XGBoost", "scikit-learn", "Yggdrasil"]),
        ("forests", FOREST | {"trees": 100, "depth": 0, "features": "sqrt", "threads": 1},
         [OURS, "scikit-learn", "Yggdrasil", "LightGBM", "XGBoost"]),
    ]
    return [
        {"family": name, "learners": learners, "pairs": pairs(bench, name, spec, learners)}
        for name, spec, learners in families]


def pairs(bench, family, spec, learners):
    found = []
    for name in datasets.QUALITY:
        for seed in range(1 if bench.quick else QUALITY_SEEDS):
            data = datasets.quality(name, seed)
            # √ of the features is a classifier's choice; regressors take a third.
            wide = spec | (
                {"features": 0.34} if family == "forests" and data.task == "regression" else {})
            metric = JUDGED_BY[data.task]
            scores = {
                learner: bench.run(learner, data, wide | {"seed": seed})["metrics"][metric]
                for learner in learners}
            found.append({"set": name, "seed": seed, "metric": metric, "scores": scores})
            note(f"{family} {name} {seed}: " + "  ".join(
                f"{learner} {score:.5f}" for learner, score in scores.items()))
    return found


def rows_of(largest):
    """The rows of a curve: each point has twice those of the point before."""
    return [largest.train_rows // share for share in (32, 16, 8, 4, 2, 1)]


def curves(bench):
    """How boosting's processor time grows with rows and with features, on one thread."""
    spec = BOOSTED | {"threads": 1}
    learners = [OURS, "LightGBM", "XGBoost", "scikit-learn"]
    largest = datasets.classification(shrunk(bench, 1_000_000), 28)
    found = [
        case(bench, f"{count:,} × 28", learners, largest, spec | {"rows": count})
        for count in rows_of(largest)]
    for features in (10, 20, 40, 80, 160):
        data = datasets.classification(shrunk(bench, 100_000), features)
        found.append(case(
            bench, f"{data.train_rows:,} × {features}", learners, data, spec))
    return found


def scaling(bench):
    """From how many rows on a second thread pays: the wall time of ours with one and with two."""
    spec = BOOSTED | {"repeats": 3}  # The machine must be quiet, so: one process for each point.
    largest = datasets.classification(shrunk(bench, 1_000_000), 28)
    return [
        {"rows": count, "results": {
            str(threads): measure.compare(
                bench, [OURS], largest, spec | {"threads": threads, "rows": count}, note, 1)[OURS]
            for threads in (1, 2)}}
        for count in rows_of(largest)]


def steps(bench):
    """Which share of a boosted fit's time each step of it takes."""
    spec = BOOSTED | {"threads": 1, "seed": 0}
    sets = [
        ("800k × 28, two classes", classification(bench, 1_000_000, 28)),
        ("25k × 28, two classes", classification(bench, 31_250, 28)),
        ("80k × 50, two classes", classification(bench, 100_000, 50)),
        ("80k × 30, five classes", classification(bench, 100_000, 30, 5)),
        ("160k × 20, regression", regression(bench, 200_000, 20)),
    ]
    return [{"name": name, "shares": profile.shares(bench, data(0), spec)} for name, data in sets]


def best_peer(results, field, least=True):
    """The peer of the best median, and it."""
    values = {name: figures[field] for name, figures in results.items() if name != OURS}
    name = (min if least else max)(values, key=values.get)
    return name, values[name]


def quality_gap(results):
    """Ours against the best other by the mean over the seeds, seed by seed.

    Areas as a difference and errors as a ratio: name, mean, and its standard error (None for one
    seed). None where there is no such metric.
    """
    for metric in ("roc_auc", "rmse"):
        if metric in results[OURS]["metrics"]:
            break
    else:
        return None
    means = {name: figures["metrics"][metric] for name, figures in results.items()}
    others = {name: mean for name, mean in means.items() if name != OURS}
    is_error = metric == "rmse"
    best = (min if is_error else max)(others, key=others.get)
    gaps = [
        ours / theirs if is_error else ours - theirs
        for ours, theirs in zip(
            results[OURS]["metric_samples"][metric], results[best]["metric_samples"][metric])]
    error = statistics.stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else None
    return metric, best, statistics.mean(gaps), error


def losses(pairs, tolerance=0.02):
    """Pairs where ours is behind the best other by more than the tolerance, relative."""
    found = []
    for pair in pairs:
        others = {k: v for k, v in pair["scores"].items() if k != OURS}
        ours = pair["scores"][OURS]
        if pair["metric"] == "rmse":
            name = min(others, key=others.get)
            loss = ours / others[name] - 1
        else:
            name = max(others, key=others.get)
            loss = 1 - ours / others[name]
        if loss > tolerance:
            found.append(pair | {"best": name, "loss": loss, "median": statistics.median(
                others.values())})
    return found


def mean_ranks(pairs, learners):
    """1 is best; equal scores share the mean of their places."""
    sums = dict.fromkeys(learners, 0.0)
    for pair in pairs:
        sign = 1 if pair["metric"] == "rmse" else -1
        for learner in learners:
            mine = sign * pair["scores"][learner]
            others = [sign * pair["scores"][other] for other in learners]
            sums[learner] += sum(o < mine for o in others) + (1 + others.count(mine)) / 2
    return {learner: total / len(pairs) for learner, total in sums.items()}
