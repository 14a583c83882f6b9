"""Data sets, made once from a seed and kept in a cache folder.

A set is a folder with `x.npy` (float32, row after row), `y.npy`, `facts.json` (name, task, rows to
train on; the rows after them judge) and, for readers of text, `table.csv`. Rows come shuffled.
"""

import json
import os
import pathlib
import shutil

import numpy
import polars
from sklearn import datasets as sets

# Missing cells and categorical columns stay the same rows for every library.
MISSING_SHARE = 0.15


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "manta" / "bench"


class DataSet:
    """A set on disk. Arrays are read when they are asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        facts = json.loads((self.folder / "facts.json").read_text())
        self.name, self.task = facts["name"], facts["task"]
        self.train_rows, self.categorical = facts["train_rows"], facts["categorical"]

    @property
    def csv(self):
        return self.folder / "table.csv"

    def arrays(self):
        return numpy.load(self.folder / "x.npy"), numpy.load(self.folder / "y.npy")


def made(name, task, train_rows, make, categorical=()):
    """The set of this name; `make` gives its features and targets the first time."""
    folder = cache_folder() / name
    if not (folder / "facts.json").exists():
        x, y = make()
        write(folder, name, task, train_rows, x, y, list(categorical))
    return DataSet(folder)


def write(folder, name, task, train_rows, x, y, categorical):
    """Under another name first, so that an interrupted run leaves no half set."""
    partial = folder.with_name(folder.name + f".{os.getpid()}.partial")
    partial.mkdir(parents=True)
    x = numpy.ascontiguousarray(x, dtype=numpy.float32)
    y = y.astype(numpy.float32 if task == "regression" else numpy.int32)
    numpy.save(partial / "x.npy", x)
    numpy.save(partial / "y.npy", y)
    columns = {f"f{i}": column(x[:, i], i in categorical) for i in range(x.shape[1])}
    polars.DataFrame({**columns, "y": y}).write_csv(partial / "table.csv")
    (partial / "facts.json").write_text(json.dumps({
        "name": name, "task": task, "train_rows": train_rows, "categorical": categorical}))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def column(values, is_categorical):
    """Numbers, missing ones empty; levels as "level7"."""
    if is_categorical:
        return [None if numpy.isnan(v) else f"level{int(v)}" for v in values]
    return polars.Series(values).fill_nan(None)


def classification(rows, features, classes=2, train_rows=None, seed=42):
    """Clusters on a hypercube, two fifths of the columns informative, one label in ten wrong."""
    train_rows = train_rows or rows * 4 // 5

    def make():
        informative = features * 2 // 5
        return sets.make_classification(
            rows, features, n_informative=informative, n_redundant=features // 5,
            n_classes=classes, n_clusters_per_class=8 if classes == 2 else 4, flip_y=0.1,
            class_sep=0.6, random_state=seed)

    name = f"classification-{rows}x{features}-{classes}-{seed}"
    return made(name, "binary" if classes == 2 else "classes", train_rows, make)


def regression(rows, features, seed=42):
    """Friedman's first function: ten sin(π x₀ x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄, and noise."""
    return made(
        f"friedman1-{rows}x{features}-{seed}", "regression", rows * 4 // 5,
        lambda: sets.make_friedman1(rows, features, noise=1.0, random_state=seed))


# --- The ten sets of the quality table -----------------------------------------------------------


def with_missing(x, seed):
    """More cells of large values are missing than of small ones, so that absence says something."""
    chance = numpy.random.default_rng(seed)
    share = MISSING_SHARE * 2 / (1 + numpy.exp(-x / (x.std(axis=0) + 1e-9)))
    return numpy.where(chance.random(x.shape) < share, numpy.nan, x)


def with_categories(rows, seed):
    """Two numbers and four columns of 8 to 60 levels; each level has an effect of its own."""
    chance = numpy.random.default_rng(seed)
    numbers = chance.normal(size=(rows, 2))
    counts = (8, 20, 40, 60)
    levels = numpy.column_stack([chance.integers(0, count, rows) for count in counts])
    effects = [chance.normal(size=count) for count in counts]
    score = numbers[:, 0] * numbers[:, 1]
    for index, effect in enumerate(effects):
        score = score + effect[levels[:, index]] * (1 + (numbers[:, 0] > 0) * (index == 1))
    y = score + chance.logistic(size=rows) > 0
    return numpy.hstack([numbers, levels]), y.astype(int)


def shuffled(x, y, seed):
    order = numpy.random.default_rng(1000 + seed).permutation(len(y))
    return x[order], y[order]


def real(loader):
    def make(seed):
        data = loader()
        return shuffled(data.data, data.target, seed)
    return make


def hastie(seed):
    x, y = sets.make_hastie_10_2(4000, random_state=seed)
    return x, (y > 0).astype(int)


def moons(seed):
    """Two noisy half moons, and eight columns of noise."""
    x, y = sets.make_moons(3000, noise=0.35, random_state=seed)
    return numpy.hstack([x, numpy.random.default_rng(seed).normal(size=(3000, 8))]), y


def several(seed):
    return sets.make_classification(
        4000, 20, n_informative=8, n_redundant=4, n_classes=4, n_clusters_per_class=2,
        flip_y=0.05, random_state=seed)


def missing(seed):
    x, y = sets.make_classification(
        4000, 15, n_informative=8, n_redundant=2, n_clusters_per_class=3, random_state=seed)
    return with_missing(x, seed), y


QUALITY = {
    "breast_cancer": ("binary", real(sets.load_breast_cancer), ()),
    "digits": ("classes", real(sets.load_digits), ()),
    "wine": ("classes", real(sets.load_wine), ()),
    "diabetes": ("regression", real(sets.load_diabetes), ()),
    "four_classes": ("classes", several, ()),
    "friedman1": (
        "regression", lambda seed: sets.make_friedman1(3000, 10, noise=1.0, random_state=seed), ()),
    "hastie": ("binary", hastie, ()),
    "moons": ("binary", moons, ()),
    "missing": ("binary", missing, ()),
    "categorical": ("binary", lambda seed: with_categories(4000, seed), (2, 3, 4, 5)),
}


def quality(name, seed):
    """Half of a generated set trains; of a real set, which is small, seven tenths."""
    task, make, categorical = QUALITY[name]
    folder = f"quality-{name}-{seed}"
    if (cache_folder() / folder / "facts.json").exists():
        return DataSet(cache_folder() / folder)
    x, y = make(seed)
    share = 0.7 if len(y) < 2000 else 0.5
    return made(folder, task, int(len(y) * share), lambda: (x, y), categorical)
